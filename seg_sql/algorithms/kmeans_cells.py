"""The search for start centroids among cells: kmeans++, swaps and Lloyd, without the database.

A cell stands for the points around a drawn point, by their weight and mean. Cells are few, so that
all the restarts on them cost less than one statement.
"""

from __future__ import annotations

import math
import operator
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

Centroid = tuple[float, ...]
Centroids = tuple[Centroid, ...]

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


@dataclass(frozen=True)
class _Search:
    """Cells to search among, and what every restart asks of them.

    Attributes:
        means: Their means.
        weights: Their weights.
        weighted: The weight of each, and its mean times that.
        apart: The squared distances of all means to each mean.
    """

    means: list[Centroid]
    weights: list[float]
    weighted: list[tuple[float, ...]]
    apart: list[list[float]]


def _search(among: Sequence[Cell]) -> _Search:
    means = [cell.mean for cell in among]
    return _Search(
        means=means,
        weights=[cell.weight for cell in among],
        weighted=[(cell.weight, *(cell.weight * value for value in cell.mean)) for cell in among],
        apart=[_squared(means, mean) for mean in means],
    )


def _squared(means: Sequence[Centroid], centroid: Centroid) -> list[float]:
    return [distance**2 for distance in map(math.dist, means, repeat(centroid))]


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
    search = _search(among)
    found: dict[float, Start] = {}
    for restart in range(restarts):
        generator = random.Random(f"{seed}:{k}:{restart}:{part}")
        drawn = _plus_plus(search, k, generator)
        # What is best among the cells need not be best among the points: some are left as drawn.
        if restart % SWAPPED == 0:
            drawn = _swapped(search, drawn, generator)
        end = _end(search, [search.means[place] for place in drawn], restart)
        found.setdefault(float(f"{end.inertia:.9g}"), end)
    return sorted(found.values(), key=lambda start: (start.inertia, start.restart))


def _plus_plus(search: _Search, k: int, generator: random.Random) -> list[int]:
    """Draw k means of cells by greedy kmeans++: of a few draws, the one that leaves the least."""
    weights, places = search.weights, range(len(search.weights))
    chosen = generator.choices(places, weights)
    apart = search.apart[chosen[0]]
    tries = 2 + int(math.log(k))
    while len(chosen) < k:
        chances = list(map(operator.mul, weights, apart))
        if not any(chances):
            chances = [1.0] * len(weights)
        best, least = apart, math.inf
        for place in generator.choices(places, chances, k=tries):
            left = list(map(min, apart, search.apart[place]))
            total = math.fsum(map(operator.mul, left, weights))
            if total < least:
                best, least, drawn = left, total, place
        apart = best
        chosen.append(drawn)
    return chosen


def _swapped(search: _Search, chosen: Sequence[int], generator: random.Random) -> list[int]:
    """Put drawn means in the place of others as long as less inertia is left.

    The local search of Lattanzi and Sohler (2019) after kmeans++.
    """
    chosen = list(chosen)
    nearest = _two_nearest([search.apart[place] for place in chosen])
    for _ in range(SWAPS * len(chosen)):
        swap = _swap(search, nearest, len(chosen), generator)
        if swap is None:
            break
        drawn, place, gain = swap
        if gain > 0:
            chosen[place] = drawn
            nearest = _two_nearest([search.apart[each] for each in chosen])
    return chosen


def searched(among: Sequence[Cell], k: int, restarts: int, *, seed: int) -> list[Start]:
    """Return the different ends of a longer search on the cells, the best first.

    Each restart of kmeans++ is followed by some random swaps (Fraenti, 2018): a drawn mean takes
    the place of the centroid that is missed least, Lloyd goes on from there, and the better end
    stays. All ends are returned, since what is best among the cells need not be so of the points.

    >>> few = [Cell((0.0,), 2.0), Cell((1.0,), 1.0), Cell((9.0,), 3.0)]
    >>> searched(few, 2, 1, seed=1)[0].centroids
    ((0.3333333333,), (9.0,))
    """
    search = _search(among)
    found: dict[float, Start] = {}
    for restart in range(restarts):
        generator = random.Random(f"{seed}:{k}:{restart}:searched")
        drawn = _plus_plus(search, k, generator)
        best = _end(search, [search.means[place] for place in drawn], restart)
        found.setdefault(float(f"{best.inertia:.9g}"), best)
        for end in _swap_ends(search, best, SEARCHED_SWAPS, generator):
            found.setdefault(float(f"{end.inertia:.9g}"), end)
    return sorted(found.values(), key=lambda start: (start.inertia, start.restart))


def swaps(
    among: Sequence[Cell], centroids: Centroids, count: int, *, seed: int, batch: int
) -> list[Start]:
    """Return ends of swaps of a centroid for a drawn mean of a cell, the best first."""
    search = _search(among)
    generator = random.Random(f"{seed}:{len(centroids)}:{batch}:swaps")
    found: dict[float, Start] = {}
    for number in range(count):
        for end in _swap_ends(search, Start(number, centroids, math.inf), 1, generator):
            found.setdefault(float(f"{end.inertia:.9g}"), end)
    return sorted(found.values(), key=lambda start: (start.inertia, start.restart))


def _swap_ends(
    search: _Search, best: Start, count: int, generator: random.Random
) -> Iterator[Start]:
    """Yield the end on the cells after each swap, going on from the best so far."""
    for _ in range(count):
        kept = best.centroids
        nearest = _two_nearest([_squared(search.means, centroid) for centroid in kept])
        swap = _swap(search, nearest, len(kept), generator)
        if swap is None:
            return
        drawn, place, _ = swap
        swapped = [*kept[:place], search.means[drawn], *kept[place + 1 :]]
        end = _end(search, swapped, best.restart)
        yield end
        if end.inertia < best.inertia:
            best = end


def _end(search: _Search, centroids: list[Centroid], restart: int) -> Start:
    """Move centroids until no cell changes its place."""
    centroids, inertia = _lloyd(search, centroids)
    return Start(restart, tuple(sorted(rounded(each) for each in centroids)), inertia)


def _swap(
    search: _Search,
    nearest: Sequence[tuple[float, int, float]],
    k: int,
    generator: random.Random,
) -> tuple[int, int, float] | None:
    """Draw a mean that lies far; return it, the centroid that is missed least, and the gain."""
    weights = search.weights
    chances = [weight * first for weight, (first, _, _) in zip(weights, nearest, strict=True)]
    if not any(chances):
        return None
    [drawn] = generator.choices(range(len(weights)), chances)
    gain, losses = 0.0, [0.0] * k
    for weight, apart, (first, place, second) in zip(
        weights, search.apart[drawn], nearest, strict=True
    ):
        if apart < first:
            gain += weight * (first - apart)
        else:
            losses[place] += weight * ((apart if apart < second else second) - first)
    least = min(losses)
    return drawn, losses.index(least), gain - least


def _two_nearest(columns: Sequence[Sequence[float]]) -> list[tuple[float, int, float]]:
    """Return for each cell the squared distance and place of its nearest centroid, and the next.

    >>> _two_nearest([[1.0, 4.0], [9.0, 0.0], [2.0, 1.0]])
    [(1.0, 0, 2.0), (0.0, 1, 1.0)]
    """
    found = []
    for apart in zip(*columns, strict=True):
        first, second, *_ = sorted(apart)
        found.append((first, apart.index(first), second))
    return found


def _mean(weighted: Sequence[tuple[float, ...]]) -> Centroid:
    """Return the mean of some cells, each as its weight and its mean times that."""
    weight, *sums = map(sum, zip(*weighted, strict=True))
    return tuple([value / weight for value in sums])


def _lloyd(search: _Search, centroids: list[Centroid]) -> tuple[list[Centroid], float]:
    """Move centroids to the means of their cells until no cell changes its place."""
    means = search.means
    places: list[int] = []
    for number in range(CELL_ROUNDS + 1):
        columns = [list(map(math.dist, means, repeat(centroid))) for centroid in centroids]
        least = list(map(min, *columns))
        now = [
            distances.index(value)
            for distances, value in zip(zip(*columns, strict=True), least, strict=True)
        ]
        if now == places or number == CELL_ROUNDS:
            break
        places = now
        members: list[list[tuple[float, ...]]] = [[] for _ in centroids]
        for place, weighted in zip(places, search.weighted, strict=True):
            members[place].append(weighted)
        centroids = [
            _mean(those) if those else centroid
            for those, centroid in zip(members, centroids, strict=True)
        ]
    inertia = math.fsum(
        weight * value**2 for weight, value in zip(search.weights, least, strict=True)
    )
    return centroids, inertia
