"""The starts of a fit: drawn, given as a table, or the last fit's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seg_sql.algorithms import Task
from seg_sql.algorithms.kmeans_features import Prepared
from seg_sql.algorithms.kmeans_lloyd import Candidate, Record, best_of, run
from seg_sql.algorithms.kmeans_options import KMeansOptions
from seg_sql.algorithms.kmeans_points import Points, half
from seg_sql.algorithms.kmeans_prepare import CannotCluster
from seg_sql.algorithms.kmeans_refit import previous_fit
from seg_sql.algorithms.kmeans_seed import (
    BATCH,
    Cell,
    Centroids,
    cells,
    draw,
    rounded,
    searched,
    spread_out,
    starts,
    swaps,
)
from seg_sql.errors import ModelError

if TYPE_CHECKING:
    from seg_sql.step import Steps

# The starts of a k that are tried on the sample: the best of the restarts among the cells.
FINALISTS = 3
FINALISTS_OF_MANY = 2
FINALISTS_OF_FEW = 5
FINALISTS_OF_SEARCH = 20
HALVES = ("first half", "second half")
# All rows are no more than a sample, and rounds are cheap.
FEW_ROWS = 20_000
BATCH_OF_FEW = 64
# Then the best end goes on by swaps: so many batches as long as each finds a better one.
SWAP_BATCHES = 3
SWAPS_TRIED = 20
SWAPS_KEPT = 10
# Numbers of restarts from 100 are those of the halves, from 300 those of the swaps.
SWAP_NUMBER = 300


def given_starts(step: Steps, prepared: Prepared, task: Task) -> Centroids | None:
    """Return the start centroids that the options or the last fit give."""
    options: KMeansOptions = task.options
    if options.init_centroids is not None:
        rows = step.rows(
            "start_centroids",
            relation=options.init_centroids,
            group_key=step.engine.literal(prepared.group_key) if options.group_by else None,
        )
        values: dict[Any, dict[str, float]] = {}
        for row in rows:
            values.setdefault(row["cluster_id"], {})[row["feature"]] = float(row["value"])
        for id_, by_feature in values.items():
            missing = {each.name for each in prepared.features} - by_feature.keys()
            if missing:
                raise ModelError(
                    f"{task.model}: the start centroid {id_} has no value of '{min(missing)}'."
                )
        if len(values) < 2 or (isinstance(options.k, int) and options.k != len(values)):
            raise ModelError(
                f"{task.model}: {options.init_centroids} holds {len(values)} start centroids"
                f" of the group '{prepared.group_key}'; k is {options.k}."
            )
        return tuple(
            rounded([each.scaled(by_feature[each.name]) for each in prepared.features])
            for by_feature in values.values()
        )
    if options.warm_start and isinstance(options.k, int):
        last = previous_fit(step, task, prepared)
        if last is not None and len(last) == options.k:
            return tuple(rounded(centroid) for centroid in last.values())
    return None


def drawn_starts(
    step: Steps, points: Points, prepared: Prepared, options: KMeansOptions
) -> tuple[list[Candidate], list[Cell]]:
    """Choose the starts of every k: on the points, and on their two halves for the stability.

    Returns:
        The starts, and the cells to search on among by swaps; none where that is not worth it.
    """
    ks = options.candidates
    if options.init == "random":
        drawn = draw(step, points, max(ks) * options.restarts, seed=options.seed, batch=0)
        distinct = len(dict.fromkeys(drawn))
        if distinct < max(ks):
            drawn = spread_out(step, points, max(ks), seed=options.seed)
            distinct = len(drawn)
        if distinct < max(ks):
            raise _too_few(step, prepared, max(ks), distinct)
        found = [
            Candidate(k, restart, points, tuple(map(rounded, drawn[restart * k : restart * k + k])))
            for k in ks
            for restart in range(min(options.restarts, len(drawn) // k))
        ]
        for number, part in enumerate(HALVES):
            source = half(step, points, prepared.xs, first=number == 0)
            drawn = draw(step, source, max(ks), seed=options.seed, batch=number + 1)
            found += [
                Candidate(k, 100 * (number + 1), source, tuple(map(rounded, drawn[:k])), part)
                for k in ks
                if len(drawn) >= k
            ]
        return found, []
    # With groups the rounds of each add up.
    few = prepared.rows <= FEW_ROWS and not options.group_by
    search = few and len(ks) == 1
    size = min(BATCH_OF_FEW, points.rows // 8) if search else 0
    drawn = spread_out(step, points, max(ks), seed=options.seed, batch_size=max(BATCH, size))
    if options.k == "auto":
        # Few customers cannot be parted into many clusters: what is left of the range is searched.
        ks = [k for k in ks if k <= len(drawn)] or [max(len(drawn), 2)]
    if len(drawn) < max(ks):
        raise _too_few(step, prepared, max(ks), len(drawn))
    everything, *halves = cells(step, points, drawn)
    candidates = []
    finalists = FINALISTS if len(ks) == 1 else FINALISTS_OF_MANY
    if few:
        # Rounds are cheap, and a good start is worth more than a quick one.
        finalists = FINALISTS_OF_SEARCH if search else FINALISTS_OF_FEW
    for k in ks:
        find = searched if search else starts
        best = find(everything, k, options.restarts, seed=options.seed)
        for start in best[:finalists]:
            candidates.append(Candidate(k, start.restart, points, start.centroids))
        for number, among in enumerate(halves):
            part = HALVES[number]
            source = half(step, points, prepared.xs, first=number == 0)
            for start in starts(among, k, options.restarts, seed=options.seed, part=part)[:1]:
                restart = 100 * (number + 1) + start.restart
                candidates.append(Candidate(k, restart, source, start.centroids, part))
    return candidates, everything if search else []


def swapped_on(
    step: Steps,
    best: Candidate,
    among: Sequence[Cell],
    record: Record,
    options: KMeansOptions,
    *,
    tolerance: float,
    max_rounds: int,
) -> Candidate:
    """Go on from the best end on few points by swaps of its centroids; return the best now."""
    for batch in range(SWAP_BATCHES):
        found = swaps(among, best.centroids, SWAPS_TRIED, seed=options.seed, batch=batch)
        first = SWAP_NUMBER + SWAPS_KEPT * batch
        candidates = [
            Candidate(best.k, first + number, best.points, start.centroids)
            for number, start in enumerate(found[:SWAPS_KEPT])
        ]
        run(step, candidates, record, tolerance=tolerance, max_rounds=max_rounds)
        better = best_of([best, *candidates])
        if better is best:
            break
        best = better
    return best


def _too_few(step: Steps, prepared: Prepared, k: int, distinct: int) -> CannotCluster:
    where = "" if prepared.group_key == "all" else f" in the group '{prepared.group_key}'"
    return CannotCluster(
        f"{step.model}: k is {k}, but only {distinct} rows differ in their features{where}.",
        reason="group of fewer different rows than clusters",
        hint="Take a smaller k, or more features.",
    )
