"""The published tables of a clustering: ids, labels, profile, and the rows of each output."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seg_sql.algorithms.kmeans_cells import Centroids
from seg_sql.algorithms.kmeans_features import Feature, Prepared, points_sql
from seg_sql.algorithms.kmeans_lloyd import Cluster, Round
from seg_sql.algorithms.kmeans_points import Points
from seg_sql.algorithms.kmeans_quality import Quality, nearest_sql

if TYPE_CHECKING:
    from seg_sql.step import Steps

# A feature whose mean lies this many standard deviations from the population's is telling.
TELLING = 0.25
_RECENCY = ("recency", "days_since")


@dataclass(frozen=True)
class Match:
    """A cluster and the one of the last fit that it continues, if there is one."""

    cluster_id: int
    previous_cluster_id: int | None
    distance: float | None


@dataclass(frozen=True)
class Clustering:
    """The finished clusters of one group, in the order of their ids.

    Attributes:
        prepared: The rows and how they become points; None when the fit was published before.
        points: Those points, all of them.
        features: The features.
        centroids: In scaled units.
        ids: The id of each.
        labels: The name of each.
        clusters: What is in each.
        qualities: The quality of every k that was tried.
        rounds: Every round.
        matches: Which cluster of the last fit each continues.
    """

    group_key: str
    features: tuple[Feature, ...]
    centroids: Centroids
    ids: tuple[int, ...]
    labels: tuple[str, ...]
    prepared: Prepared | None = None
    points: Points | None = None
    clusters: Sequence[Cluster] = ()
    qualities: Sequence[Quality] = ()
    rounds: Sequence[Round] = ()
    matches: Sequence[Match] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)


def by_size(sizes: Sequence[float], centroids: Centroids) -> list[int]:
    """Return the order of the clusters: the largest first, equal ones by their centroids."""
    return sorted(range(len(centroids)), key=lambda place: (-sizes[place], centroids[place]))


def z_scores(
    clusters: Sequence[Cluster], features: Sequence[Feature], total: float
) -> list[list[float]]:
    """Return how far each cluster's mean lies from the population's, in standard deviations.

    Both of the transformed values, in which the clusters were found.
    """
    scores = []
    for cluster in clusters:
        row = []
        for axis, feature in enumerate(features):
            overall = math.fsum(each.sums[axis] for each in clusters) / total
            mean = cluster.sums[axis] / cluster.weight if cluster.weight else overall
            row.append((mean - overall) * feature.scale / feature.deviation)
        scores.append(row)
    return scores


def labels(scores: Sequence[Sequence[float]], names: Sequence[str]) -> list[str]:
    """Name clusters by their most telling features: two, or more where two would share a label.

    >>> labels([[1.2, -0.9], [-1.0, 0.8]], ["monetary", "recency_days"])
    ['high monetary, recent', 'low monetary, lapsed']
    >>> labels([[1.0, 1.0 + 1e-12], [-1.0, -0.5]], ["monetary", "frequency"])
    ['high monetary, high frequency', 'low monetary, low frequency']
    """
    # The last bits of equal scores differ between engines.
    scores = [[round(score, 6) for score in row] for row in scores]
    ranked = [sorted(range(len(names)), key=lambda axis: (-abs(row[axis]), axis)) for row in scores]
    found: list[str] = []
    for wanted in range(min(2, len(names)), len(names) + 1):
        fresh = [
            ", ".join(_word(names[axis], row[axis]) for axis in order[:wanted])
            for row, order in zip(scores, ranked, strict=True)
        ]
        if not found:
            found = fresh
            continue
        repeated = {label for label in found if found.count(label) > 1}
        found = [
            longer if label in repeated else label
            for label, longer in zip(found, fresh, strict=True)
        ]
        if len(set(found)) == len(found):
            break
    seen: dict[str, int] = {}
    numbered = []
    for label in found:
        seen[label] = seen.get(label, 0) + 1
        numbered.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return numbered


def _word(name: str, score: float) -> str:
    """Say in words where a feature's mean lies.

    >>> _word("recency_days", -1.0), _word("order_count", 2.5), _word("age", 0.1)
    ('recent', 'very high order count', 'average age')
    """
    spoken = name.lower().replace("_", " ")
    very = "very " if abs(score) >= 2 else ""
    if name.lower().startswith(_RECENCY) and abs(score) >= TELLING:
        return very + ("recent" if score < 0 else "lapsed")
    if abs(score) < TELLING:
        return f"average {spoken}"
    return f"{very}{'high' if score > 0 else 'low'} {spoken}"


def rows_of(
    clusterings: Sequence[Clustering], left_out: Mapping[str, int]
) -> dict[str, list[list[Any]]]:
    """Return the rows of every output but the assignments.

    Args:
        clusterings: One for each group.
        left_out: Rows of groups that could not be clustered, by reason.
    """
    computed = ("features", "centroids", "profile", "quality", "fit", "matches")
    rows: dict[str, list[list[Any]]] = {name: [] for name in computed}
    excluded = dict(left_out)
    for each in clusterings:
        group = each.group_key
        for feature in each.features:
            rows["features"].append(
                [
                    group,
                    feature.name,
                    feature.transform,
                    feature.fill_value,
                    feature.lower_bound,
                    feature.upper_bound,
                    feature.center,
                    feature.scale,
                ]
            )
        for id_, centroid in zip(each.ids, each.centroids, strict=True):
            for feature, value in zip(each.features, centroid, strict=True):
                rows["centroids"].append([group, id_, feature.name, value, feature.unscaled(value)])
        rows["profile"] += _profile(each)
        for quality in each.qualities:
            rows["quality"].append([group, *vars(quality).values()])
        for round_ in each.rounds:
            rows["fit"].append([group, *vars(round_).values()])
        for match in each.matches:
            rows["matches"].append([group, *vars(match).values()])
        for reason, count in (each.prepared.excluded if each.prepared else {}).items():
            excluded[reason] = excluded.get(reason, 0) + count
    rows["exclusions"] = [[reason, count] for reason, count in sorted(excluded.items())]
    return rows


def _profile(clustering: Clustering) -> list[list[Any]]:
    clusters, features = clustering.clusters, clustering.features
    customers = sum(cluster.rows for cluster in clusters)
    total = math.fsum(cluster.weight for cluster in clusters)
    scores = z_scores(clusters, features, total)
    rows = []
    for place, cluster in enumerate(clusters):
        for axis, feature in enumerate(features):
            rows.append(
                [
                    clustering.group_key,
                    clustering.ids[place],
                    clustering.labels[place],
                    cluster.rows,
                    cluster.rows / customers,
                    feature.name,
                    cluster.raw[axis] / cluster.weight if cluster.weight else None,
                    math.fsum(each.raw[axis] for each in clusters) / total,
                    scores[place][axis],
                ]
            )
    return rows


@dataclass(frozen=True)
class Part:
    """Some rows to assign, with the clusters that they may come into.

    Attributes:
        points: Their points, in parentheses, beside the key as key0, key1 ..
        clusters: What `clusters_sql` says of them; literals, or columns of the points.
        columns: Those columns.
    """

    points: str
    clusters: Mapping[str, Any]
    columns: Sequence[str] = ()


def clusters_sql(step: Steps, clustering: Clustering) -> dict[str, Any]:
    """Return the clusters of a group as literals."""
    literal = step.engine.literal
    return {
        "key": literal(clustering.group_key),
        "centroids": [list(map(literal, each)) for each in clustering.centroids],
        "ids": list(map(literal, clustering.ids)),
        "labels": list(map(literal, clustering.labels)),
    }


def keyed_points_sql(
    step: Steps,
    relation: str,
    features: Sequence[Mapping[str, Any]],
    conditions: Sequence[str],
    key: Sequence[str],
) -> str:
    """Return the SELECT of a relation's rows as points, beside the key as key0, key1 .."""
    # The names of the user's columns may be names of ours.
    kept = [f"{step.engine.quote(name)} as key{place}" for place, name in enumerate(key)]
    return points_sql(step, relation, features, conditions=conditions, kept=kept)


def assigned_sql(
    step: Steps,
    parts: Sequence[Part],
    key: Sequence[str],
    *,
    as_of: str | None,
    fitted_as_of: str | None,
) -> str:
    """Return the SELECT of the assignments.

    Args:
        step: Renders it.
        parts: The rows of the groups.
        key: The columns that identify a row.
        as_of: The day for the column of this name.
        fitted_as_of: The day for the column of this name.
    """
    literal = step.engine.literal
    keys = {f"key{place}": step.engine.quote(name) for place, name in enumerate(key)}
    groups = [
        {
            **part.clusters,
            "nearest": nearest_sql(
                step, part.clusters["centroids"], part.points, [*keys, *part.columns]
            ),
        }
        for part in parts
    ]
    return step.sql(
        "assigned",
        groups=groups,
        keys=keys,
        as_of=literal(as_of),
        fitted_as_of=literal(fitted_as_of),
    )


def status(clusterings: Sequence[Clustering]) -> str:
    """Say how the fit of all groups ended."""
    iterations = max(each.notes["iterations"] for each in clusterings)
    if any(each.notes["status"] == "max_iterations" for each in clusterings):
        return f"MAX_ITER in {iterations}"
    return f"CONVERGED in {iterations}"


def parameters(clusterings: Sequence[Clustering]) -> dict[str, Any]:
    """Return the figures of each group that the run keeps."""
    found: dict[str, Any] = {}
    for each in clusterings:
        end = "" if each.group_key == "all" else f".{each.group_key}"
        best = next(quality for quality in each.qualities if quality.chosen)
        found[f"k{end}"] = best.k
        found[f"inertia{end}"] = best.inertia
        found[f"silhouette{end}"] = best.silhouette
        found[f"iterations{end}"] = each.notes["iterations"]
    return found
