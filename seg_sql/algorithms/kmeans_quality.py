"""How good a clustering is, by k, and which k is chosen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from seg_sql.algorithms.kmeans_cells import Centroids
from seg_sql.algorithms.kmeans_features import coordinates
from seg_sql.algorithms.kmeans_groups import ask
from seg_sql.algorithms.kmeans_lloyd import Cluster, cluster, clusters
from seg_sql.algorithms.kmeans_options import KMeansOptions
from seg_sql.algorithms.kmeans_points import Points

if TYPE_CHECKING:
    from seg_sql.step import Steps


@dataclass(frozen=True)
class Quality:
    """The measures of a clustering with k clusters."""

    k: int
    inertia: float
    silhouette: float
    calinski_harabasz: float | None
    davies_bouldin: float | None
    smallest_cluster_share: float
    stability_ari: float | None = None
    chosen: bool = False
    chosen_reason: str | None = None


def nearest_sql(
    step: Steps, centroids: Sequence[Sequence[str]], points: str, kept: Sequence[str]
) -> str:
    """Return the SELECT that finds each point's two nearest of some centroids, given in SQL."""
    return step.sql(
        "nearest",
        points=points,
        kept=kept,
        ds=[f"d{place}" for place in range(len(centroids))],
        centroids=centroids,
    )


def summaries(
    step: Steps, fits: Sequence[tuple[Points, Centroids]], *, raws: Sequence[str] = ()
) -> list[list[Cluster]]:
    """Measure the clusters of some fits on scaled points, in one statement."""
    literal = step.engine.literal
    xs = coordinates(len(fits[0][0].scales))

    def complete(candidate: dict[str, Any]) -> dict[str, Any]:
        columns = [*candidate["by"], *xs, *raws, "w"]
        nearest = nearest_sql(step, candidate["centroids"], candidate["points"], columns)
        return {**candidate, "nearest": nearest}

    found = ask(
        step,
        "summary",
        [
            (points, {"centroids": [list(map(literal, each)) for each in centroids]})
            for points, centroids in fits
        ],
        complete=complete,
        xs=xs,
        raws=raws,
    )
    return [
        clusters(rows, len(centroids), len(raws), (1.0,) * len(xs))
        for (_, centroids), rows in zip(fits, found, strict=True)
    ]


def assigned(step: Steps, table: str, groups: Sequence[str]) -> dict[tuple[str, int], Cluster]:
    """Return the counts and distances of clusters, by group and id, from the assignments."""
    only = step.engine.literal(groups[0]) if len(groups) == 1 else None
    return {
        (row["group_key"], int(row["cluster_id"])): cluster(
            {**row, "weight": row["row_count"]}, 0, ()
        )
        for row in step.rows("assigned_clusters", clusters=step.relation(table), only=only)
    }


def quality(clusters: Sequence[Cluster], centroids: Centroids) -> Quality:
    """Return the measures of a clustering.

    Calinski-Harabasz and Davies-Bouldin are those of scikit-learn, from the means of the clusters;
    the silhouette is the simplified one: (b - a) / max(a, b) of the distances to the nearest and
    the second nearest centroid.
    """
    k = len(centroids)
    total = sum(cluster.weight for cluster in clusters)
    inertia = math.fsum(cluster.inertia for cluster in clusters)
    axes = range(len(centroids[0]))
    overall = [math.fsum(each.sums[axis] for each in clusters) / total for axis in axes]
    between = math.fsum(
        each.weight * (each.sums[axis] / each.weight - overall[axis]) ** 2
        for each in clusters
        if each.weight > 0
        for axis in axes
    )
    calinski = between / (k - 1) / (inertia / (total - k)) if inertia > 0 and total > k else None
    return Quality(
        k=k,
        inertia=inertia,
        silhouette=math.fsum(each.silhouette for each in clusters) / total,
        calinski_harabasz=calinski,
        davies_bouldin=_davies_bouldin(clusters, centroids),
        smallest_cluster_share=min(each.weight for each in clusters) / total,
    )


def _davies_bouldin(clusters: Sequence[Cluster], centroids: Centroids) -> float | None:
    spreads = [each.distance / each.weight if each.weight > 0 else 0.0 for each in clusters]
    worst = []
    for place, centroid in enumerate(centroids):
        ratios = [
            (spreads[place] + spreads[other]) / math.dist(centroid, centroids[other])
            for other in range(len(centroids))
            if other != place and math.dist(centroid, centroids[other]) > 0
        ]
        if not ratios:
            return None
        worst.append(max(ratios))
    return math.fsum(worst) / len(worst)


def stability(
    step: Steps, fits: Sequence[tuple[Points, tuple[Centroids, Centroids]]]
) -> list[float]:
    """Return how alike the two fits of each pair part their points: adjusted Rand indices."""
    literal = step.engine.literal
    asked = [
        (
            points,
            {
                side: [list(map(literal, each)) for each in centroids]
                for side, centroids in zip(("first", "second"), pair, strict=True)
            },
        )
        for points, pair in fits
    ]
    return [
        adjusted_rand(
            {(row["first_label"], row["second_label"]): float(row["weight"]) for row in rows}
        )
        for rows in ask(step, "contingency", asked)
    ]


def adjusted_rand(table: Mapping[tuple[int, int], float]) -> float:
    """Return the adjusted Rand index (Hubert and Arabie, 1985) of a contingency table.

    >>> adjusted_rand({(0, 1): 5.0, (1, 0): 5.0})
    1.0
    >>> round(adjusted_rand({(0, 0): 2.0, (0, 1): 1.0, (1, 1): 3.0}), 6)
    0.324324
    """

    def pairs(count: float) -> float:
        return count * (count - 1) / 2

    rows: dict[int, float] = {}
    columns: dict[int, float] = {}
    for (row, column), count in table.items():
        rows[row] = rows.get(row, 0.0) + count
        columns[column] = columns.get(column, 0.0) + count
    same = math.fsum(map(pairs, table.values()))
    of_rows, of_columns = (
        math.fsum(map(pairs, rows.values())),
        math.fsum(map(pairs, columns.values())),
    )
    everything = pairs(math.fsum(rows.values()))
    expected = of_rows * of_columns / everything if everything > 0 else 0.0
    most = (of_rows + of_columns) / 2
    return 1.0 if most == expected else (same - expected) / (most - expected)


def choose(qualities: Sequence[Quality], options: KMeansOptions) -> tuple[int, str, str | None]:
    """Choose among several k; return it, why, and what a person should look at.

    Of those whose smallest cluster is large enough and whose halves agree, the best by the
    criterion; if there is none, the most stable.
    """
    named = options.criterion.replace("_", "-")
    if len(qualities) == 1:
        return qualities[0].k, "k was given", None
    good = [
        each
        for each in qualities
        if each.smallest_cluster_share >= options.min_cluster_share
        and (each.stability_ari or 0.0) >= options.min_stability
    ]
    if not good:
        # A half with too few different rows says nothing of a k, also not that it is stable.
        told = [(each.stability_ari, each) for each in qualities if each.stability_ari is not None]
        if not told:
            least = min(each.k for each in qualities)
            return (
                least,
                "smallest k (too few rows to tell the stability of any)",
                f"the rows are too few to tell which number of clusters is stable: k={least}, the"
                " smallest, is taken",
            )
        index, best = max(told, key=lambda each: (each[0], -each[1].k))
        return (
            best.k,
            f"most stable (no k has a smallest cluster of {options.min_cluster_share:.0%} and a"
            f" stability of {options.min_stability:g})",
            f"no number of clusters is stable: k={best.k} is the most stable with an adjusted Rand"
            f" index of {index:.3f} between two halves of the rows (wanted:"
            f" {options.min_stability:g})",
        )
    scores = _scores(qualities, options.criterion)
    best = max(good, key=lambda each: (scores[each.k], -each.k))
    if len(good) < len(qualities):
        left = len(qualities) - len(good)
        return best.k, f"best {named} of the stable k ({left} left out)", None
    return best.k, f"best {named}", None


def _scores(qualities: Sequence[Quality], criterion: str) -> dict[int, float]:
    """Return for each k how good it is, the more the better."""
    if criterion == "elbow":
        return _elbow(qualities)
    sign = -1.0 if criterion == "davies_bouldin" else 1.0
    worst = -math.inf
    return {
        each.k: worst if (value := getattr(each, criterion)) is None else sign * value
        for each in qualities
    }


def _elbow(qualities: Sequence[Quality]) -> dict[int, float]:
    """Return how far each k lies below the straight line from the first to the last inertia."""
    first, last = qualities[0], qualities[-1]
    span = (first.inertia - last.inertia) or 1.0
    return {
        each.k: (first.inertia - each.inertia) / span
        - (each.k - first.k) / ((last.k - first.k) or 1)
        for each in qualities
    }


def scaled_up(measured: Quality, factor: float) -> Quality:
    """Return a quality measured on a sample with the inertia of all rows, about."""
    return replace(measured, inertia=measured.inertia * factor)
