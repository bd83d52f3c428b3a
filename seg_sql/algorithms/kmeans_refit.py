"""The last fit: its centroids as a start, as the names of clusters, and as a score."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seg_sql.algorithms import Task
from seg_sql.algorithms.kmeans_cells import Centroid, Centroids
from seg_sql.algorithms.kmeans_features import Feature, Prepared
from seg_sql.algorithms.kmeans_outputs import Clustering, Match

if TYPE_CHECKING:
    from seg_sql.step import Steps


def previous_fits(
    step: Steps, task: Task, prepared: Sequence[Prepared]
) -> list[dict[int, Centroid] | None]:
    """Return for each group the last fit's centroids by id, in the scaled units of the present one.

    None when there is none, or when it had other features.
    """
    if not {"centroids", "features"} <= set(task.previous):
        return [None] * len(prepared)
    values: dict[str, dict[int, dict[str, float]]] = {}
    for row in stored(step, task.previous):
        by_id = values.setdefault(row["group_key"], {})
        by_id.setdefault(int(row["cluster_id"]), {})[row["feature"]] = float(row["value"])
    return [_scaled(each, values.get(each.group_key, {})) for each in prepared]


def _scaled(
    prepared: Prepared, values: Mapping[int, Mapping[str, float]]
) -> dict[int, Centroid] | None:
    names = {feature.name for feature in prepared.features}
    if not values or any(by_feature.keys() != names for by_feature in values.values()):
        return None
    return {
        id_: tuple(feature.scaled(by_feature[feature.name]) for feature in prepared.features)
        for id_, by_feature in sorted(values.items())
    }


def matched(
    centroids: Centroids, previous: Mapping[int, Centroid] | None
) -> tuple[list[int], list[Match]]:
    """Give clusters the ids of the last fit's, so that the sum of the distances is least.

    Clusters that continue none take the lowest ids that are free, in their order.

    >>> matched(((0.0,), (5.0,)), {1: (5.1,), 2: (0.1,)})[0]
    [2, 1]
    >>> matched(((0.0,), (5.0,)), None)[0]
    [1, 2]
    """
    pairs: dict[int, int] = {}
    if previous:
        old = list(previous)
        costs = [[math.dist(each, previous[id_]) for id_ in old] for each in centroids]
        pairs = {place: old[column] for place, column in _least_sum(costs)}
    free = iter(id_ for id_ in range(1, 2 * len(centroids) + 1) if id_ not in set(pairs.values()))
    ids = [pairs[place] if place in pairs else next(free) for place in range(len(centroids))]
    matches = [
        Match(
            id_,
            pairs.get(place),
            math.dist(centroids[place], previous[id_]) if previous and place in pairs else None,
        )
        for place, id_ in enumerate(ids)
    ]
    return ids, sorted(matches, key=lambda match: match.cluster_id)


def _least_sum(costs: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """Return the pairs of a row and a column each, no two of the same, whose costs sum to least.

    >>> _least_sum([[1.0, 2.0], [1.0, 5.0]])
    [(0, 1), (1, 0)]
    """
    nearest = [row.index(min(row)) for row in costs]
    if len(set(nearest)) == len(costs):
        # Each row has the least it can: no need for the import, which takes half a second.
        return list(enumerate(nearest))
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(costs)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True)]


def stored_fit(step: Steps, outputs: Mapping[str, str]) -> tuple[list[Clustering], str | None]:
    """Read published clusters, and the day that they were fitted."""
    features: dict[str, dict[str, Feature]] = {}
    centroids: dict[str, dict[int, dict[str, float]]] = {}
    for row in stored(step, outputs):
        group, name = row["group_key"], row["feature"]
        features.setdefault(group, {})[name] = Feature(
            name=name,
            transform=row["transform"],
            fill_value=row["fill_value"],
            lower_bound=row["lower_bound"],
            upper_bound=row["upper_bound"],
            center=row["center"],
            scale=row["scale"],
        )
        by_id = centroids.setdefault(group, {}).setdefault(int(row["cluster_id"]), {})
        by_id[name] = row["scaled_value"]
    names: dict[tuple[str, int], str] = {}
    if "profile" in outputs:
        found = step.rows("stored_labels", profile=outputs["profile"])
        names = {(row["group_key"], int(row["cluster_id"])): row["label"] for row in found}
    day: Any = None
    if "" in outputs:
        day = step.row("fitted_as_of", clusters=outputs[""])["fitted_as_of"]
    clusterings = [
        Clustering(
            group_key=group,
            features=tuple(features[group].values()),
            centroids=tuple(
                tuple(values[name] for name in features[group]) for values in by_id.values()
            ),
            ids=tuple(by_id),
            labels=tuple(names.get((group, id_), str(id_)) for id_ in by_id),
        )
        for group, by_id in centroids.items()
    ]
    return clusterings, None if day is None else day.isoformat()


def stored(step: Steps, outputs: Mapping[str, str]) -> list[dict[str, Any]]:
    """Read the published centroids, each with what is known of its feature."""
    return step.rows("stored_fit", centroids=outputs["centroids"], features=outputs["features"])
