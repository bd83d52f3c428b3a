"""The starts of a fit: drawn, given as a table, or the last fit's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seg_sql.algorithms import Task
from seg_sql.algorithms.kmeans_cells import (
    Cell,
    Centroid,
    Centroids,
    rounded,
    searched,
    starts,
    swaps,
)
from seg_sql.algorithms.kmeans_features import Prepared
from seg_sql.algorithms.kmeans_lloyd import Candidate, Record, best_of, run
from seg_sql.algorithms.kmeans_options import KMeansOptions
from seg_sql.algorithms.kmeans_points import Points, half
from seg_sql.algorithms.kmeans_profile import CannotCluster
from seg_sql.algorithms.kmeans_seed import BATCH, cells, draw, spread_out
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


def given_starts(
    step: Steps,
    prepared: Sequence[Prepared],
    previous: Sequence[Mapping[int, Centroid] | None],
    task: Task,
) -> list[Centroids | None]:
    """Return for each group the start centroids that the options or the last fit give."""
    options: KMeansOptions = task.options
    if options.init_centroids is not None:
        rows = step.rows(
            "start_centroids", relation=options.init_centroids, grouped=bool(options.group_by)
        )
        values: dict[str, dict[Any, dict[str, float]]] = {}
        for row in rows:
            by_id = values.setdefault(row["group_key"], {})
            by_id.setdefault(row["cluster_id"], {})[row["feature"]] = float(row["value"])
        return [_given(each, values.get(each.group_key, {}), task) for each in prepared]
    return [
        tuple(map(rounded, last.values()))
        if options.warm_start and last is not None and len(last) == options.k
        else None
        for last in previous
    ]


def _given(prepared: Prepared, values: Mapping[Any, Mapping[str, float]], task: Task) -> Centroids:
    options: KMeansOptions = task.options
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


def drawn_starts(
    step: Steps, points: Sequence[Points], prepared: Sequence[Prepared], options: KMeansOptions
) -> list[tuple[list[Candidate], list[Cell]] | CannotCluster]:
    """Choose the starts of every k: on the points, and on their two halves for the stability.

    Returns:
        For each group the starts, and the cells to search on among by swaps, none where that is not
        worth it; or why there are none.
    """
    if options.init == "random":
        return _random_starts(step, points, prepared, options)
    ks = options.candidates
    # With groups the rounds of each add up.
    few = prepared[0].rows <= FEW_ROWS and not options.group_by
    search = few and len(ks) == 1
    size = min(BATCH_OF_FEW, points[0].rows // 8) if search else 0
    drawn = spread_out(step, points, max(ks), seed=options.seed, batch_size=max(BATCH, size))
    finalists = FINALISTS if len(ks) == 1 else FINALISTS_OF_MANY
    if few:
        # Rounds are cheap, and a good start is worth more than a quick one.
        finalists = FINALISTS_OF_SEARCH if search else FINALISTS_OF_FEW
    found: list[tuple[list[Candidate], list[Cell]] | CannotCluster] = []
    for mine, group, rows, parts in zip(
        points, prepared, drawn, cells(step, points, drawn), strict=True
    ):
        everything, *halves = parts
        wanted = ks
        if options.k == "auto":
            # Few customers cannot be parted into many clusters: what is left of the range is
            # searched.
            wanted = [k for k in ks if k <= len(rows)] or [max(len(rows), 2)]
        if len(rows) < max(wanted):
            found.append(_too_few(step, group, max(wanted), len(rows)))
            continue
        candidates = []
        for k in wanted:
            find = searched if search else starts
            best = find(everything, k, options.restarts, seed=options.seed)
            for start in best[:finalists]:
                candidates.append(Candidate(k, start.restart, mine, start.centroids))
            for number, among in enumerate(halves):
                part = HALVES[number]
                source = half(step, mine, group.xs, first=number == 0)
                for start in starts(among, k, options.restarts, seed=options.seed, part=part)[:1]:
                    restart = 100 * (number + 1) + start.restart
                    candidates.append(Candidate(k, restart, source, start.centroids, part))
        found.append((candidates, everything if search else []))
    return found


def _random_starts(
    step: Steps, points: Sequence[Points], prepared: Sequence[Prepared], options: KMeansOptions
) -> list[tuple[list[Candidate], list[Cell]] | CannotCluster]:
    """Take any rows as the starts."""
    ks = options.candidates
    most = max(ks)
    drawn = draw(step, points, most * options.restarts, seed=options.seed, batch=0)
    distinct = [len(dict.fromkeys(each)) for each in drawn]
    if short := [place for place, count in enumerate(distinct) if count < most]:
        again = spread_out(step, [points[place] for place in short], most, seed=options.seed)
        for place, rows in zip(short, again, strict=True):
            drawn[place], distinct[place] = rows, len(rows)
    halves = [
        [half(step, each, prepared[0].xs, first=part == HALVES[0]) for each in points]
        for part in HALVES
    ]
    of_halves = [
        draw(step, sources, most, seed=options.seed, batch=number)
        for number, sources in enumerate(halves, 1)
    ]
    found: list[tuple[list[Candidate], list[Cell]] | CannotCluster] = []
    for place, (mine, group, rows) in enumerate(zip(points, prepared, drawn, strict=True)):
        if distinct[place] < most:
            found.append(_too_few(step, group, most, distinct[place]))
            continue
        candidates = [
            Candidate(k, restart, mine, tuple(map(rounded, rows[restart * k : restart * k + k])))
            for k in ks
            for restart in range(min(options.restarts, len(rows) // k))
        ]
        for number, part in enumerate(HALVES):
            source, rows = halves[number][place], of_halves[number][place]
            candidates += [
                Candidate(k, 100 * (number + 1), source, tuple(map(rounded, rows[:k])), part)
                for k in ks
                if len(rows) >= k
            ]
        found.append((candidates, []))
    return found


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
