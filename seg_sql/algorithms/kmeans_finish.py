"""From the final centroids to what is published: ids, labels, assignments and their quality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from seg_sql.algorithms import Task
from seg_sql.algorithms.kmeans_features import Prepared
from seg_sql.algorithms.kmeans_lloyd import (
    NOT_WORTH_A_PASS,
    Candidate,
    Cluster,
    clusters_of,
)
from seg_sql.algorithms.kmeans_outputs import Clustering, assigned_sql, by_size, labels, z_scores
from seg_sql.algorithms.kmeans_points import all_rows
from seg_sql.algorithms.kmeans_quality import quality, summaries
from seg_sql.algorithms.kmeans_refit import matched, previous_fit

if TYPE_CHECKING:
    from seg_sql.step import Steps

SMALL_SHARE = 0.01


def finished(step: Steps, prepared: Prepared, best: Candidate, task: Task) -> Clustering:
    """Sum up the final clusters over all rows, give them ids and labels."""
    last = previous_fit(step, task, prepared)
    everything = all_rows(step, prepared)
    centroids, clusters, counted = best.centroids, best.clusters, False
    if best.points.raws and best.left <= NOT_WORTH_A_PASS * best.inertia:
        # The last move is not made: the pass before it has counted the clusters.
        centroids, counted = best.measured, True
    # Ties go to the lowest id, so the ids stand before the rows are counted; should the sizes then
    # be in another order, which takes a last small move, they are counted once more.
    for _ in range(3):
        order = by_size([cluster.weight for cluster in clusters], centroids)
        ids, matches = matched(tuple(centroids[place] for place in order), last)
        order = [order[ids.index(id_)] for id_ in sorted(ids)]
        centroids = tuple(centroids[place] for place in order)
        if counted:
            clusters = tuple(clusters[place] for place in order)
            break
        [clusters] = clusters_of(step, [(everything, centroids)])
        sizes = [cluster.weight for cluster in clusters]
        if last is not None or by_size(sizes, centroids) == list(range(len(sizes))):
            break
    total = sum(cluster.weight for cluster in clusters)
    scores = z_scores(clusters, prepared.features, total)
    return Clustering(
        group_key=prepared.group_key,
        features=prepared.features,
        centroids=centroids,
        ids=tuple(sorted(ids)),
        labels=tuple(labels(scores, [each.name for each in prepared.features])),
        prepared=prepared,
        clusters=clusters,
        matches=matches,
    )


def measured(
    step: Steps, clustering: Clustering, found: Mapping[tuple[str, int], Cluster]
) -> Clustering:
    """Return a clustering with the distances of the rows as they were assigned."""
    prepared = clustering.prepared
    assert prepared is not None
    made = [found.get((clustering.group_key, id_)) for id_ in clustering.ids]
    clusters: list[Cluster] = []
    for cluster, as_assigned in zip(clustering.clusters, made, strict=True):
        if as_assigned is None or as_assigned.rows != cluster.rows or prepared.weight is not None:
            # Weights are not in the assignments. A difference is a row between two centroids, which
            # another form of the distances puts to the other side.
            raws = [f"raw{place}" for place in range(len(prepared.features))]
            source = prepared.points(step, raw=True)
            clusters = summaries(step, [clustering.centroids], source, raws=raws)[0]
            break
        clusters.append(
            replace(
                cluster,
                inertia=as_assigned.inertia,
                distance=as_assigned.distance,
                silhouette=as_assigned.silhouette,
            )
        )
    measured = quality(clusters, clustering.centroids)
    qualities = [
        replace(
            measured,
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
    relations = []
    for each in clusterings:
        prepared = each.prepared
        assert prepared is not None
        relations.append(
            (
                prepared.relation,
                prepared.conditions,
                [feature.context(step) for feature in prepared.features],
            )
        )
    select = assigned_sql(
        step, clusterings, relations, task.key, as_of=task.as_of, fitted_as_of=task.as_of
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
