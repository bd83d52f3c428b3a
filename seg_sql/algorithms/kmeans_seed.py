"""Start centroids: a few draws in the database, and the restarts on what they found.

This is k-means|| (Bahmani et al., 2012). Some three dozen points are drawn, far from each other, in
a few statements; each stands for the points that are nearest to it, by their weight and mean. On
these cells, which are few, all the restarts of kmeans++ and Lloyd cost less than one statement.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from seg_sql.algorithms.kmeans_cells import Cell, Centroid, rounded
from seg_sql.algorithms.kmeans_features import HASH_END, coordinates
from seg_sql.algorithms.kmeans_groups import ask, padded
from seg_sql.algorithms.kmeans_points import Points

if TYPE_CHECKING:
    from seg_sql.step import Steps

# Points drawn in a statement: so many, or twice the clusters. Two statements draw far points.
BATCH = 16
FAR_BATCHES = 2
# More rows than these find no better starts.
SEED_ROWS = 8_000


def draw(
    step: Steps,
    points: Sequence[Points],
    count: int,
    *,
    seed: int,
    batch: int,
    far: Sequence[Sequence[Centroid]] = (),
) -> list[list[Centroid]]:
    """Draw some points of each by the hash of their rows.

    Args:
        step: Runs the statement.
        points: A work table of points, or the points of groups.
        count: How many.
        seed: The seed of the fit.
        batch: Which draw of the fit this is.
        far: For each, points so far: the chance of a row grows with its squared distance to the
            nearest of them, and rows that are equal to one are not drawn.
    """
    literal = step.engine.literal
    xs = coordinates(len(points[0].scales))
    generator = random.Random(f"{seed}:{batch}")
    contexts = [
        {
            "far": [list(map(literal, centroid)) for centroid in drawn],
            "hash_below": _part(each, SEED_ROWS),
        }
        for each, drawn in zip(points, padded(far or [()] * len(points)), strict=True)
    ]
    found = ask(
        step,
        "seed",
        list(zip(points, contexts, strict=True)),
        xs=xs,
        factor=generator.randrange(2**20, HASH_END),
        offset=generator.randrange(HASH_END),
        limit=count,
    )
    return [[tuple(float(row[x]) for x in xs) for row in rows] for rows in found]


def _part(points: Points, rows: int) -> int | None:
    """Return the limit of the hash that leaves about so many rows; None for all."""
    return None if points.rows <= rows else points.hash_end * rows // points.rows


def most_drawn(k: int) -> int:
    """Return how many points are drawn for k clusters, mostly."""
    return (1 + FAR_BATCHES) * max(BATCH, 2 * k)


def spread_out(
    step: Steps, points: Sequence[Points], k: int, *, seed: int, batch_size: int = BATCH
) -> list[list[Centroid]]:
    """Draw some points of each, first any and then far ones; at least k, unless fewer differ."""
    count = max(batch_size, 2 * k)
    drawn = [list(dict.fromkeys(each)) for each in draw(step, points, count, seed=seed, batch=0)]
    wanting = list(range(len(points)))
    batch = 1
    while wanting:
        mine, far = [points[place] for place in wanting], [drawn[place] for place in wanting]
        found = draw(step, mine, count, seed=seed, batch=batch, far=far)
        if not found[0] and mine[0].rows > SEED_ROWS and len(far[0]) < k:
            every = [replace(mine[0], rows=SEED_ROWS)]
            found = draw(step, every, count, seed=seed, batch=batch, far=far)
        for place, more in zip(wanting, found, strict=True):
            drawn[place] = list(dict.fromkeys([*drawn[place], *more]))
        batch += 1
        wanting = [
            place
            for place, more in zip(wanting, found, strict=True)
            if more and (batch <= FAR_BATCHES or len(drawn[place]) < k)
        ]
    return drawn


def cells(
    step: Steps, points: Sequence[Points], drawn: Sequence[Sequence[Centroid]]
) -> list[list[list[Cell]]]:
    """Return for each the cells of its drawn points: for all rows, and for each hash half."""
    literal = step.engine.literal
    xs = coordinates(len(points[0].scales))
    contexts = [
        {
            "hash_below": _part(each, SEED_ROWS),
            "centroids": [
                {
                    "square": literal(sum(value * value for value in centroid)),
                    "twice": [literal(2 * value) for value in centroid],
                }
                for centroid in centroids
            ],
        }
        for each, centroids in zip(points, padded(drawn), strict=True)
    ]
    found = ask(step, "cells", list(zip(points, contexts, strict=True)), xs=xs)
    return [_cells(rows, len(xs)) for rows in found]


def _cells(rows: Sequence[Mapping[str, Any]], axes: int) -> list[list[Cell]]:
    everything, first, second = [], [], []
    for row in sorted(rows, key=lambda row: int(row["label"])):
        weight, half = float(row["weight"]), float(row["half_weight"])
        sums = [float(row[f"sum_{axis}"]) for axis in range(axes)]
        halves = [float(row[f"half_sum_{axis}"]) for axis in range(axes)]
        rest = [whole - part for whole, part in zip(sums, halves, strict=True)]
        everything.append(_cell(sums, weight))
        if half > 0:
            first.append(_cell(halves, half))
        if weight - half > 0:
            second.append(_cell(rest, weight - half))
    return [everything, first, second]


def _cell(sums: Sequence[float], weight: float) -> Cell:
    return Cell(rounded([value / weight for value in sums]), weight)
