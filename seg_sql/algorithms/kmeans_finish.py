"""From the final centroids to what is published: ids, labels, assignments and their quality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from seg_sql.algorithms import Task
from seg_sql.algorithms.kmeans_cells import Centroid, Centroids
from seg_sql.algorithms.kmeans_features import Prepared
from seg_sql.algorithms.kmeans_groups import joined
from seg_sql.algorithms.kmeans_lloyd import (
    NOT_WORTH_A_PASS,
    Candidate,
    Cluster,
    clusters_of,
)
from seg_sql.algorithms.kmeans_outputs import (
    Clustering,
    Match,
    Part,
    assigned_sql,
    by_size,
    clusters_sql,
    keyed_points_sql,
    labels,
    z_scores,
)
from seg_sql.algorithms.kmeans_points import Points, all_rows
from seg_sql.algorithms.kmeans_quality import quality, summaries
from seg_sql.algorithms.kmeans_refit import matched

if TYPE_CHECKING:
    from seg_sql.step import Steps

SMALL_SHARE = 0.01


@dataclass
class _Ending:
    """Final clusters whose ids are about to be settled."""

    points: Points
    centroids: Centroids
    clusters: Sequence[Cluster]
    counted: bool
    ids: Sequence[int] = ()
    matches: Sequence[Match] = ()


def finished(
    step: Steps,
    prepared: Sequence[Prepared],
    previous: Sequence[Mapping[int, Centroid] | None],
    best: Sequence[Candidate],
) -> list[Clustering]:
    """Sum up the final clusters of each group over all its rows, give them ids and labels."""
    endings = []
    for group, each in zip(prepared, best, strict=True):
        # Where its last move is not made, the pass before it has counted the clusters.
        counted = bool(each.points.raws) and each.left <= NOT_WORTH_A_PASS * each.inertia
        centroids = each.measured if counted else each.centroids
        everything = all_rows(step, group, each.points)
        endings.append(_Ending(everything, centroids, each.clusters, counted))
    # Ties go to the lowest id, so the ids stand before the rows are counted; should the sizes then
    # be in another order, which takes a last small move, they are counted once more.
    unsettled = list(zip(endings, previous, strict=True))
    for _ in range(3):
        for ending, last in unsettled:
            order = by_size([cluster.weight for cluster in ending.clusters], ending.centroids)
            ids, ending.matches = matched(tuple(ending.centroids[place] for place in order), last)
            order = [order[ids.index(id_)] for id_ in sorted(ids)]
            ending.ids = sorted(ids)
            ending.centroids = tuple(ending.centroids[place] for place in order)
            ending.clusters = [ending.clusters[place] for place in order]
        uncounted = [(ending, last) for ending, last in unsettled if not ending.counted]
        unsettled = []
        if not uncounted:
            break
        found = clusters_of(step, [(ending.points, ending.centroids) for ending, _ in uncounted])
        for (ending, last), clusters in zip(uncounted, found, strict=True):
            ending.clusters = clusters
            order = by_size([cluster.weight for cluster in clusters], ending.centroids)
            if last is None and order != sorted(order):
                unsettled.append((ending, last))
    return [_clustering(group, each) for group, each in zip(prepared, endings, strict=True)]


def _clustering(prepared: Prepared, ending: _Ending) -> Clustering:
    total = sum(cluster.weight for cluster in ending.clusters)
    scores = z_scores(ending.clusters, prepared.features, total)
    return Clustering(
        group_key=prepared.group_key,
        features=prepared.features,
        centroids=ending.centroids,
        ids=tuple(ending.ids),
        labels=tuple(labels(scores, [each.name for each in prepared.features])),
        prepared=prepared,
        points=ending.points,
        clusters=ending.clusters,
        matches=ending.matches,
    )


def measured(
    step: Steps, clusterings: Sequence[Clustering], found: Mapping[tuple[str, int], Cluster]
) -> list[Clustering]:
    """Return clusterings with the distances of the rows as they were assigned."""
    clusters = {}
    anew: dict[str, list[Clustering]] = {}
    for each in clusterings:
        assert each.prepared is not None and each.points is not None
        made = [found.get((each.group_key, id_)) for id_ in each.ids]
        if each.prepared.weight is None and [one and one.rows for one in made] == [
            one.rows for one in each.clusters
        ]:
            clusters[each.group_key] = [
                replace(
                    cluster,
                    inertia=one.inertia,
                    distance=one.distance,
                    silhouette=one.silhouette,
                )
                for cluster, one in zip(each.clusters, made, strict=True)
                if one is not None
            ]
        else:
            # Weights are not in the assignments. A difference is a row between two centroids, which
            # another form of the distances puts to the other side.
            anew.setdefault(each.points.source, []).append(each)
    for those in anew.values():
        fits = [(_scaled(step, each), each.centroids) for each in those]
        raws = fits[0][0].raws
        for each, once_more in zip(those, summaries(step, fits, raws=raws), strict=True):
            clusters[each.group_key] = once_more
    return [_with(each, clusters[each.group_key]) for each in clusterings]


def _scaled(step: Steps, clustering: Clustering) -> Points:
    """Return all points of a group, in scaled units."""
    prepared, points = clustering.prepared, clustering.points
    assert prepared is not None and points is not None
    if points.place is not None:
        return points
    scales = (1.0,) * len(points.scales)
    return replace(points, source=prepared.points(step, raw=True), scales=scales)


def _with(clustering: Clustering, clusters: Sequence[Cluster]) -> Clustering:
    """Return a clustering with its clusters as they were assigned, and their quality."""
    now = quality(clusters, clustering.centroids)
    qualities = [
        replace(
            now,
            stability_ari=each.stability_ari,
            chosen=True,
            chosen_reason=each.chosen_reason,
        )
        if each.chosen
        else each
        for each in clustering.qualities
    ]
    return replace(clustering, clusters=clusters, qualities=qualities)


def small(clustering: Clustering) -> list[str]:
    """Warn of a cluster that holds next to nothing."""
    best = next(each for each in clustering.qualities if each.chosen)
    if best.smallest_cluster_share >= SMALL_SHARE:
        return []
    where = "" if clustering.group_key == "all" else f" of '{clustering.group_key}'"
    return [
        f"the smallest of the {best.k} clusters{where} holds"
        f" {best.smallest_cluster_share:.2%} of the rows: winsorize or transform the features, or"
        " take a smaller k"
    ]


def assignments(step: Steps, clusterings: Sequence[Clustering], task: Task) -> str:
    """Make the table of the rows with their clusters; return its name."""
    alone, together = [], []
    for each in clusterings:
        assert each.prepared is not None and each.points is not None
        clusters = clusters_sql(step, each)
        if each.points.place is not None:
            together.append((each.points, clusters))
            continue
        features = [feature.context(step) for feature in each.prepared.features]
        points = keyed_points_sql(
            step, each.prepared.relation, features, each.prepared.conditions, task.key
        )
        alone.append(Part(points, clusters))
    parts = [Part(points, context, columns) for context, points, columns in joined(step, together)]
    select = assigned_sql(
        step, [*alone, *parts], task.key, as_of=task.as_of, fitted_as_of=task.as_of
    )
    literal = step.engine.literal
    day = step.sql("day", day=literal(task.as_of))
    computed = {"as_of": day, "fitted_as_of": day}
    make = partial(step.table, select, work=False, computed=computed)
    if len(clusterings) > 1:
        return make()
    [only] = clusterings
    computed["group_key"] = literal(only.group_key)
    computed["cluster_label"] = step.sql(
        "cluster_label",
        ids=[literal(id_) for id_ in only.ids],
        labels=[literal(label) for label in only.labels],
    )
    assert only.prepared is not None
    return only.prepared.sparingly(step, make)
