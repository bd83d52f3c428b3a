"""Start centroids: a few draws in the database, and the restarts on what they found.

This is k-means|| (Bahmani et al., 2012). Some three dozen points are drawn, far from each other, in
a few statements; each stands for the points that are nearest to it, by their weight and mean. On
these cells, which are few, all the restarts of kmeans++ and Lloyd cost less than one statement.
"""

from __future__ import annotations

import heapq
import math
import operator
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seg_sql.algorithms.kmeans_features import HASH_END, coordinates
from seg_sql.algorithms.kmeans_points import Points

if TYPE_CHECKING:
    from seg_sql.step import Steps

Centroid = tuple[float, ...]
Centroids = tuple[Centroid, ...]

# Points drawn in a statement: so many, or twice the clusters. Two statements draw far points.
BATCH = 16
FAR_BATCHES = 2
# More rows than these find no better starts.
SEED_ROWS = 8_000
CELL_ROUNDS = 50
# Swaps that are tried after a draw, for each centroid.
SWAPS = 4
# .. in one restart of so many.
SWAPPED = 4
# Swaps after each restart of the longer search.
SEARCHED_SWAPS = 8


@dataclass(frozen=True)
class Cell:
    """The points around a drawn point: their mean and their weight."""

    mean: Centroid
    weight: float


@dataclass(frozen=True)
class Start:
    """Start centroids, and the inertia that they leave among the cells."""

    restart: int
    centroids: Centroids
    inertia: float


def rounded(values: Sequence[float]) -> Centroid:
    """Round a centroid to the ten significant digits that it is published with.

    >>> rounded([1 / 3, -0.0])
    (0.3333333333, 0.0)
    """
    return tuple(float(f"{value:.10g}") + 0.0 for value in values)


def draw(
    step: Steps, points: Points, count: int, *, seed: int, batch: int, far: Sequence[Centroid] = ()
) -> list[Centroid]:
    """Draw points by the hash of their rows.

    Args:
        step: Runs the statement.
        points: A work table of points.
        count: How many.
        seed: The seed of the fit.
        batch: Which draw of the fit this is.
        far: Points so far: the chance of a row grows with its squared distance to the nearest of
            them, and rows that are equal to one are not drawn.
    """
    literal = step.engine.literal
    xs = coordinates(len(points.scales))
    generator = random.Random(f"{seed}:{batch}")
    rows = step.rows(
        "seed",
        points=points.source,
        xs=xs,
        factor=generator.randrange(2**20, HASH_END),
        offset=generator.randrange(HASH_END),
        centroids=[list(map(literal, centroid)) for centroid in far],
        limit=count,
        hash_below=_part(points, SEED_ROWS),
    )
    return [tuple(float(row[x]) for x in xs) for row in rows]


def _part(points: Points, rows: int) -> int | None:
    """Return the limit of the hash that leaves about so many rows; None for all."""
    return None if points.rows <= rows else points.hash_end * rows // points.rows


def spread_out(
    step: Steps, points: Points, k: int, *, seed: int, batch_size: int = BATCH
) -> list[Centroid]:
    """Draw points, first any and then far ones; at least k, unless fewer points differ."""
    count = max(batch_size, 2 * k)
    drawn = list(dict.fromkeys(draw(step, points, count, seed=seed, batch=0)))
    batch = 1
    while batch <= FAR_BATCHES or len(drawn) < k:
        found = draw(step, points, count, seed=seed, batch=batch, far=drawn)
        if not found and points.rows > SEED_ROWS and len(drawn) < k:
            every = replace(points, rows=SEED_ROWS)
            found = draw(step, every, count, seed=seed, batch=batch, far=drawn)
        if not found:
            break
        drawn = list(dict.fromkeys([*drawn, *found]))
        batch += 1
    return drawn


def cells(step: Steps, points: Points, drawn: Sequence[Centroid]) -> list[list[Cell]]:
    """Return the cells of the drawn points: for all rows, and for each hash half."""
    literal = step.engine.literal
    xs = coordinates(len(points.scales))
    rows = step.rows(
        "cells",
        points=points.source,
        xs=xs,
        hash_below=_part(points, SEED_ROWS),
        centroids=[
            {
                "square": literal(sum(value * value for value in centroid)),
                "twice": [literal(2 * value) for value in centroid],
            }
            for centroid in drawn
        ],
    )
    everything, first, second = [], [], []
    for row in sorted(rows, key=lambda row: int(row["label"])):
        weight, half = float(row["weight"]), float(row["half_weight"])
        sums = [float(row[f"sum_{axis}"]) for axis in range(len(xs))]
        halves = [float(row[f"half_sum_{axis}"]) for axis in range(len(xs))]
        rest = [whole - part for whole, part in zip(sums, halves, strict=True)]
        everything.append(_cell(sums, weight))
        if half > 0:
            first.append(_cell(halves, half))
        if weight - half > 0:
            second.append(_cell(rest, weight - half))
    return [everything, first, second]


def _cell(sums: Sequence[float], weight: float) -> Cell:
    return Cell(rounded([value / weight for value in sums]), weight)


def starts(
    among: Sequence[Cell], k: int, restarts: int, *, seed: int, part: str = ""
) -> list[Start]:
    """Return the different ends of the restarts on the cells, the best first.

    >>> few = [Cell((0.0,), 2.0), Cell((1.0,), 1.0), Cell((9.0,), 3.0)]
    >>> [(start.centroids, round(start.inertia, 3)) for start in starts(few, 2, 3, seed=1)][0]
    (((0.3333333333,), (9.0,)), 0.667)
    """
    if len(among) < k:
        return []
    found: dict[float, Start] = {}
    for restart in range(restarts):
        generator = random.Random(f"{seed}:{k}:{restart}:{part}")
        drawn = _plus_plus(among, k, generator)
        # What is best among the cells need not be best among the points: some are left as drawn.
        if restart % SWAPPED == 0:
            drawn = _swapped(among, drawn, generator)
        end = _end(among, drawn, restart)
        found.setdefault(float(f"{end.inertia:.9g}"), end)
    return sorted(found.values(), key=lambda start: (start.inertia, start.restart))


def _plus_plus(among: Sequence[Cell], k: int, generator: random.Random) -> list[Centroid]:
    """Draw k means of cells by greedy kmeans++: of a few draws, the one that leaves the least."""
    weights = [cell.weight for cell in among]
    means = [cell.mean for cell in among]
    first = generator.choices(means, weights)[0]
    chosen = [first]
    apart = [math.dist(mean, first) ** 2 for mean in means]
    tries = 2 + int(math.log(k))
    while len(chosen) < k:
        chances = [weight * squared for weight, squared in zip(weights, apart, strict=True)]
        if not any(chance > 0 for chance in chances):
            chances = [1.0] * len(among)
        best, least = apart, math.inf
        for mean in generator.choices(means, chances, k=tries):
            left = [
                min(squared, math.dist(other, mean) ** 2)
                for squared, other in zip(apart, means, strict=True)
            ]
            total = math.fsum(map(operator.mul, left, weights))
            if total < least:
                best, least, drawn = left, total, mean
        apart = best
        chosen.append(drawn)
    return chosen


def _swapped(
    among: Sequence[Cell], centroids: list[Centroid], generator: random.Random
) -> list[Centroid]:
    """Put drawn means in the place of centroids as long as less inertia is left.

    The local search of Lattanzi and Sohler (2019) after kmeans++.
    """
    centroids = list(centroids)
    nearest = _two_nearest(among, centroids)
    for _ in range(SWAPS * len(centroids)):
        swap = _swap(among, nearest, len(centroids), generator)
        if swap is None:
            break
        drawn, place, gain = swap
        if gain > 0:
            centroids[place] = drawn
            nearest = _two_nearest(among, centroids)
    return centroids


def searched(among: Sequence[Cell], k: int, restarts: int, *, seed: int) -> list[Start]:
    """Return the different ends of a longer search on the cells, the best first.

    Each restart of kmeans++ is followed by some random swaps (Fraenti, 2018): a drawn mean takes
    the place of the centroid that is missed least, Lloyd goes on from there, and the better end
    stays. All ends are returned, since what is best among the cells need not be so of the points.

    >>> few = [Cell((0.0,), 2.0), Cell((1.0,), 1.0), Cell((9.0,), 3.0)]
    >>> searched(few, 2, 1, seed=1)[0].centroids
    ((0.3333333333,), (9.0,))
    """
    found: dict[float, Start] = {}
    for restart in range(restarts):
        generator = random.Random(f"{seed}:{k}:{restart}:searched")
        best = _end(among, _plus_plus(among, k, generator), restart)
        found.setdefault(float(f"{best.inertia:.9g}"), best)
        for end in _swap_ends(among, best, SEARCHED_SWAPS, generator):
            found.setdefault(float(f"{end.inertia:.9g}"), end)
    return sorted(found.values(), key=lambda start: (start.inertia, start.restart))


def swaps(
    among: Sequence[Cell], centroids: Centroids, count: int, *, seed: int, batch: int
) -> list[Start]:
    """Return ends of swaps of a centroid for a drawn mean of a cell, the best first."""
    generator = random.Random(f"{seed}:{len(centroids)}:{batch}:swaps")
    found: dict[float, Start] = {}
    for number in range(count):
        for end in _swap_ends(among, Start(number, centroids, math.inf), 1, generator):
            found.setdefault(float(f"{end.inertia:.9g}"), end)
    return sorted(found.values(), key=lambda start: (start.inertia, start.restart))


def _swap_ends(
    among: Sequence[Cell], best: Start, count: int, generator: random.Random
) -> Iterator[Start]:
    """Yield the end on the cells after each swap, going on from the best so far."""
    for _ in range(count):
        kept = best.centroids
        swap = _swap(among, _two_nearest(among, kept), len(kept), generator)
        if swap is None:
            return
        drawn, place, _ = swap
        end = _end(among, [*kept[:place], drawn, *kept[place + 1 :]], best.restart)
        yield end
        if end.inertia < best.inertia:
            best = end


def _end(among: Sequence[Cell], centroids: list[Centroid], restart: int) -> Start:
    """Move centroids until no cell changes its place."""
    centroids, inertia = _lloyd(among, centroids)
    return Start(restart, tuple(sorted(rounded(each) for each in centroids)), inertia)


def _swap(
    among: Sequence[Cell],
    nearest: Sequence[tuple[float, int, float]],
    k: int,
    generator: random.Random,
) -> tuple[Centroid, int, float] | None:
    """Draw a mean that lies far; return it, the centroid that is missed least, and the gain."""
    chances = [cell.weight * each[0] for cell, each in zip(among, nearest, strict=True)]
    if not any(chance > 0 for chance in chances):
        return None
    drawn = generator.choices(among, chances)[0].mean
    gain, losses = 0.0, [0.0] * k
    for cell, (first, place, second) in zip(among, nearest, strict=True):
        apart = math.dist(cell.mean, drawn) ** 2
        if apart < first:
            gain += cell.weight * (first - apart)
        else:
            losses[place] += cell.weight * (min(apart, second) - first)
    least = min(losses)
    return drawn, losses.index(least), gain - least


def _two_nearest(
    among: Sequence[Cell], centroids: Sequence[Centroid]
) -> list[tuple[float, int, float]]:
    """Return for each cell the squared distance and place of its nearest centroid, and the next."""
    found = []
    for cell in among:
        apart = [math.dist(cell.mean, centroid) ** 2 for centroid in centroids]
        first, second = heapq.nsmallest(2, apart)
        found.append((first, apart.index(first), second))
    return found


def _lloyd(among: Sequence[Cell], centroids: list[Centroid]) -> tuple[list[Centroid], float]:
    """Move centroids to the means of their cells until no cell changes its place."""
    places: list[int] = []
    axes = range(len(among[0].mean))
    dist = math.dist
    for _ in range(CELL_ROUNDS):
        distances = [[dist(cell.mean, centroid) for centroid in centroids] for cell in among]
        least = [min(row) for row in distances]
        now = [row.index(value) for row, value in zip(distances, least, strict=True)]
        if now == places:
            break
        places = now
        sums = [[0.0] * len(axes) for _ in centroids]
        weights = [0.0] * len(centroids)
        for cell, place in zip(among, places, strict=True):
            weights[place] += cell.weight
            total = sums[place]
            for axis in axes:
                total[axis] += cell.weight * cell.mean[axis]
        centroids = [
            tuple(value / weight for value in total) if weight > 0 else centroid
            for total, weight, centroid in zip(sums, weights, centroids, strict=True)
        ]
    inertia = math.fsum(
        cell.weight * min(dist(cell.mean, centroid) for centroid in centroids) ** 2
        for cell in among
    )
    return centroids, inertia
