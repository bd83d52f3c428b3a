"""Lloyd's rounds, for several candidates at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from seg_sql.algorithms.kmeans_cells import Centroid, Centroids, rounded
from seg_sql.algorithms.kmeans_features import coordinates
from seg_sql.algorithms.kmeans_groups import ask, joined
from seg_sql.algorithms.kmeans_points import Points
from seg_sql.wording import counted

if TYPE_CHECKING:
    from seg_sql.step import Steps

# Rounds a candidate may need to catch up, at its present pace, before it is given up.
PATIENCE = 5
# Moves below this are noise of sums in another order; centroids have ten digits.
SMALLEST_MOVE = 1e-9
# Of the rounds in which several k move, one in so many is told.
TOLD = 5
# This share of the inertia is left, rather than read all rows once more.
NOT_WORTH_A_PASS = 5e-5
# The halves, which tell of the stability only, need no more than this.
ROUGH_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Round:
    """One round of one candidate, for the record of the fit."""

    k: int
    restart: int
    stage: str
    iteration: int
    rows_scanned: int
    inertia: float
    shift: float
    moved: float
    seconds: float


@dataclass(frozen=True)
class Cluster:
    """What a cluster's points are like: counts and weighted sums."""

    rows: int
    weight: float
    inertia: float
    distance: float
    silhouette: float
    raw: tuple[float, ...]
    sums: tuple[float, ...]


@dataclass
class Candidate:
    """A fit under way: a start with its k, on points of its own.

    Attributes:
        centroids: In scaled units, to ten significant digits.
        measured: The centroids that the last round measured, before it moved them.
        clusters: What that round found.
        part: Which half of the points these are; empty for all of them.
        inertia: That of the last round, of the centroids before it.
        gain: What the last round gained.
        left: What its move will gain, as far as no point changes its cluster.
        sizes: The weight of each cluster in the last round.
        status: running, converged, dropped or max_iterations.
    """

    k: int
    restart: int
    points: Points
    centroids: Centroids
    part: str = ""
    measured: Centroids = ()
    clusters: tuple[Cluster, ...] = ()
    inertia: float = math.inf
    gain: float = math.inf
    left: float = math.inf
    sizes: tuple[float, ...] = ()
    iterations: int = 0
    status: str = "running"


@dataclass
class Record:
    """The rounds of a fit, the places of their groups, and the number of its statements."""

    rounds: list[Round] = field(default_factory=list)
    places: list[int | None] = field(default_factory=list)
    iteration: int = 0


def run(
    step: Steps,
    candidates: Sequence[Candidate],
    record: Record,
    *,
    tolerance: float,
    max_rounds: int,
    drop: bool = True,
) -> None:
    """Move the candidates' centroids until each has converged or is clearly behind another.

    One statement a round serves all candidates that still run. A candidate has converged when its
    centroids' squared moves sum to no more than `tolerance` times the mean variance of a feature.
    """
    for candidate in candidates:
        candidate.status = "running"
        candidate.gain = math.inf
    for number in range(1, max_rounds + 1):
        running = [each for each in candidates if each.status == "running"]
        if not running:
            return
        _round(step, running, record, tolerance)
        if drop and number >= 2:
            _drop(candidates)
    for candidate in candidates:
        if candidate.status == "running":
            candidate.status = "max_iterations"


def _round(step: Steps, running: Sequence[Candidate], record: Record, tolerance: float) -> None:
    started = time.perf_counter()
    found = clusters_of(step, [(each.points, each.centroids) for each in running])
    measured = [
        _moved(step, candidate, clusters, tolerance)
        for candidate, clusters in zip(running, found, strict=True)
    ]
    seconds = time.perf_counter() - started
    record.iteration += 1
    for candidate, (shift, moved) in zip(running, measured, strict=True):
        record.places.append(candidate.points.place)
        record.rounds.append(
            Round(
                candidate.k,
                candidate.restart,
                candidate.points.stage,
                candidate.iterations,
                candidate.points.rows,
                candidate.inertia,
                shift,
                moved,
                seconds,
            )
        )
    _tell(step, running, measured, record.iteration, seconds)


def _tell(
    step: Steps,
    running: Sequence[Candidate],
    measured: Sequence[tuple[float, float]],
    iteration: int,
    seconds: float,
) -> None:
    """Say how a round went; of those that move several k or groups together, one in five."""
    ks = sorted({each.k for each in running})
    groups = len({each.points.place for each in running})
    together = running[0].points.place is not None
    stage = next((each.points.stage for each in running if not each.part), "half")
    best = min(range(len(running)), key=lambda place: running[place].inertia)
    shift, moved = measured[best]
    if len(ks) == 1 and not together:
        step.progress(
            iteration,
            seconds,
            stage=f"k={ks[0]} {stage}",
            inertia=running[best].inertia,
            shift=shift,
            moved=moved,
        )
    elif iteration % TOLD == 1:
        step.progress(
            iteration,
            seconds,
            stage=f"k={ks[0]}"
            + (f" to {ks[-1]} {stage}" if len(ks) > 1 else f" {stage}")
            + (f" of {counted(groups, 'group')}" if together else ""),
            running=sum(each.status == "running" for each in running),
            shift=max(shift for shift, _ in measured),
        )


def clusters_of(step: Steps, fits: Sequence[tuple[Points, Centroids]]) -> list[tuple[Cluster, ...]]:
    """Count and sum up the points around some centroids, in one statement."""
    first = fits[0][0]
    raws = list(first.raws)
    look = partial(
        ask,
        step,
        "round",
        [
            (
                points,
                {"others": relative(step, centroids, points.scales), "weighted": points.weighted},
            )
            for points, centroids in fits
        ],
        xs=coordinates(len(first.scales)),
        raws=raws,
    )
    alone = raws and first.place is None
    found = (
        step.engine.sparingly(look, rows=first.rows, columns=len(first.scales)) if alone else look()
    )
    return [
        tuple(
            _relative(each, centroid)
            for each, centroid in zip(
                clusters(rows, len(centroids), len(raws), points.scales), centroids, strict=True
            )
        )
        for (points, centroids), rows in zip(fits, found, strict=True)
    ]


def _relative(cluster: Cluster, centroid: Centroid) -> Cluster:
    """Return a cluster with its inertia less that around 0: the sum of |c|^2 - 2 x.c."""
    moved = math.fsum(2 * each * total for each, total in zip(centroid, cluster.sums, strict=True))
    return replace(cluster, inertia=cluster.weight * _square(centroid) - moved)


def clusters(
    rows: Sequence[Mapping[str, Any]], k: int, raws: int, scales: Sequence[float]
) -> list[Cluster]:
    """Return rows of sums as the k clusters that they are labelled with."""
    found = {row["label"]: row for row in rows}
    return [cluster(found.get(label), raws, scales) for label in range(k)]


def cluster(row: Mapping[str, Any] | None, raws: int, scales: Sequence[float]) -> Cluster:
    """Return a row of sums as a cluster; of no row, an empty one."""
    if row is None:
        return Cluster(0, 0.0, 0.0, 0.0, 0.0, (0.0,) * raws, (0.0,) * len(scales))
    return Cluster(
        rows=int(row["row_count"]),
        weight=float(row["weight"]),
        inertia=float(row.get("inertia") or 0.0),
        distance=float(row.get("distance") or 0.0),
        silhouette=float(row.get("silhouette") or 0.0),
        raw=tuple(float(row[f"raw_{place}"]) for place in range(raws)),
        sums=tuple(float(row[f"sum_{axis}"]) / scale for axis, scale in enumerate(scales)),
    )


def relative(step: Steps, centroids: Centroids, scales: Sequence[float]) -> list[dict[str, Any]]:
    """Return how much farther than the first centroid the others are, for x not yet scaled.

    That is |c|^2 - |c0|^2 - 2 x.(c - c0), as the literals of square - twice . x.
    """
    literal = step.engine.literal
    first, *others = centroids
    return [
        {
            "square": literal(_square(centroid) - _square(first)),
            "twice": [
                literal(2 * (value - origin) / scale)
                for value, origin, scale in zip(centroid, first, scales, strict=True)
            ],
        }
        for centroid in others
    ]


def _square(centroid: Centroid) -> float:
    return math.fsum(value * value for value in centroid)


def _moved(
    step: Steps,
    candidate: Candidate,
    clusters: tuple[Cluster, ...],
    tolerance: float,
) -> tuple[float, float]:
    """Move a candidate's centroids to the means of their clusters; return shift and moved."""
    points = candidate.points
    sizes = tuple(each.weight for each in clusters)
    empty = [place for place, size in enumerate(sizes) if not size > 0]
    centroids: list[Centroid] = list(candidate.centroids)
    for place, size in enumerate(sizes):
        if size > 0:
            centroids[place] = rounded([each / size for each in clusters[place].sums])
    if empty:
        farthest = _farthest(step, candidate, len(empty))
        for place, centroid in zip(empty, farthest, strict=False):
            centroids[place] = centroid
    inertia = sum(each.inertia for each in clusters) + points.squares
    inertia = max(inertia, 0.0)
    squared = math.fsum(
        (new - old) ** 2
        for before, after in zip(candidate.centroids, centroids, strict=True)
        for old, new in zip(before, after, strict=True)
    )
    # The net flow between clusters: rows that change places with each other are not seen.
    moved = sum(
        abs(now - before)
        for now, before in zip(sizes, candidate.sizes or (0.0,) * candidate.k, strict=True)
    )
    moved /= 2 if candidate.sizes else 1
    variance = points.squares / points.weight / len(points.scales)
    candidate.gain = candidate.inertia - inertia
    candidate.left = sum(
        size * math.dist(old, new) ** 2
        for size, old, new in zip(sizes, candidate.centroids, centroids, strict=True)
    )
    candidate.inertia = inertia
    candidate.sizes = sizes
    candidate.measured, candidate.clusters = candidate.centroids, clusters
    candidate.centroids = tuple(centroids)
    candidate.iterations += 1
    if candidate.part:
        tolerance = max(tolerance, ROUGH_TOLERANCE)
    still = squared <= max(tolerance, SMALLEST_MOVE**2) * variance
    if points.raws:
        # All rows are read for each round.
        still = still or candidate.left <= min(NOT_WORTH_A_PASS, tolerance / 2) * inertia
    if still and not empty:
        candidate.status = "converged"
    return math.sqrt(squared), moved


def _farthest(step: Steps, candidate: Candidate, count: int) -> list[Centroid]:
    """Return the points that are farthest from their centroids, for clusters without a point."""
    literal = step.engine.literal
    points = candidate.points
    xs = coordinates(len(points.scales))
    rows = step.rows(
        "farthest",
        points=points.source if points.place is None else joined(step, [(points, {})])[0][1],
        xs=xs,
        scales=[literal(scale) for scale in points.scales],
        centroids=[[literal(value) for value in each] for each in candidate.centroids],
        limit=count,
    )
    return [rounded([float(row[x]) for x in xs]) for row in rows]


def _drop(candidates: Sequence[Candidate]) -> None:
    """Give up candidates that cannot catch up with the best of their k at their present pace."""
    races: dict[tuple[int | None, int, str], list[Candidate]] = {}
    for each in candidates:
        if each.status in ("running", "converged"):
            races.setdefault((each.points.place, each.k, each.part), []).append(each)
    for rivals in races.values():
        best = min(rivals, key=lambda each: (each.inertia, each.restart))
        for rival in rivals:
            if rival is best or rival.status != "running":
                continue
            behind = rival.inertia - best.inertia
            same = behind <= 1e-6 * best.inertia and rival.gain <= 1e-4 * best.inertia
            if same or behind > PATIENCE * rival.gain:
                rival.status = "dropped"


def best_of(candidates: Sequence[Candidate]) -> Candidate:
    """Return the candidate with the least inertia; the earlier restart where they are equal."""
    alive = [each for each in candidates if each.status != "dropped"]
    return min(alive, key=lambda each: (float(f"{each.inertia:.8g}"), each.restart))
