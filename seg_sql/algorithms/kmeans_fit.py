"""KMeans inside the database: Lloyd's algorithm; every statement is in sql/algorithms/kmeans/.

A fit goes up a ladder. On a small hash sample several starts are drawn and moved until each has
converged or is clearly behind; the best goes on to a larger sample, and then to all rows, where a
few rounds are left to do. What is published is exact: each row is in the cluster of the nearest
published centroid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from seg_sql.algorithms import Fit, Task
from seg_sql.algorithms.kmeans_cells import Cell, Centroid, Centroids
from seg_sql.algorithms.kmeans_features import Prepared
from seg_sql.algorithms.kmeans_finish import assignments, finished, measured, small
from seg_sql.algorithms.kmeans_groups import Source
from seg_sql.algorithms.kmeans_lloyd import Candidate, Record, best_of, run
from seg_sql.algorithms.kmeans_options import KMeansOptions
from seg_sql.algorithms.kmeans_outputs import Clustering, parameters, rows_of, status
from seg_sql.algorithms.kmeans_points import Points, levels, of_groups
from seg_sql.algorithms.kmeans_prepare import prepare
from seg_sql.algorithms.kmeans_profile import (
    CannotCluster,
    feature_names,
    profiles_of,
    sources,
)
from seg_sql.algorithms.kmeans_quality import (
    Quality,
    assigned,
    choose,
    quality,
    scaled_up,
    stability,
    summaries,
)
from seg_sql.algorithms.kmeans_refit import previous_fits
from seg_sql.algorithms.kmeans_score import scored
from seg_sql.algorithms.kmeans_starts import (
    FEW_ROWS,
    HALVES,
    drawn_starts,
    given_starts,
    swapped_on,
)
from seg_sql.algorithms.output_tables import output_tables
from seg_sql.errors import ModelError
from seg_sql.events import Said
from seg_sql.wording import counted

if TYPE_CHECKING:
    from seg_sql.engines import Column
    from seg_sql.step import Steps

SAMPLE_ROUNDS = 100
# Below the last level of the ladder, and for the halves, this many times the tolerance will do.
ROUGHLY = 10.0
# Where all rows are no more than a sample, in one group, rounds are cheap, and this many times is
# taken.
FINELY = 0.01
# So many groups that cannot be clustered, or that have warnings, are named.
NAMED = 3


def fit(step: Steps, relation: str, task: Task) -> Fit:
    """Cluster the rows of a relation; leave a work table for each output.

    Raises:
        ModelError: The rows or the options allow no clustering; says which and why.
    """
    if task.keep_fit and {"centroids", "features", "profile", ""} <= set(task.previous):
        return scored(step, relation, task)
    columns = step.engine.describe(step.sql("columns", relation=relation))
    made_before = len(step.made)
    clusterings, left_out, warnings = _clustered(step, relation, columns, task)
    published = assignments(step, clusterings, task)
    found = assigned(step, published, [each.group_key for each in clusterings])
    clusterings = measured(step, clusterings, found)
    warnings += _few(step, [small(each) for each in clusterings])
    outputs = {"": published, **output_tables(step, rows_of(clusterings, left_out))}
    scratch = [name for name in step.made[made_before:] if name not in outputs.values()]
    step.drop(*scratch)
    return Fit(
        outputs=outputs,
        status=status(clusterings),
        warnings=warnings,
        parameters=parameters(clusterings),
    )


@dataclass
class Started:
    """A fit whose starts are drawn.

    Attributes:
        prepared: Its rows.
        ladder: Its points.
        candidates: Its starts.
        among: The cells to search on among by swaps, if that is worth it.
        previous: The centroids of the last fit by id, if there is one.
        record: Its rounds.
    """

    prepared: Prepared
    ladder: list[Points]
    candidates: list[Candidate]
    among: Sequence[Cell]
    previous: Mapping[int, Centroid] | None = None
    record: Record = field(default_factory=Record)


def _clustered(
    step: Steps, relation: str, columns: Sequence[Column], task: Task
) -> tuple[list[Clustering], dict[str, int], list[str]]:
    """Cluster each group; return the clusterings, rows left out by reason, and what to look at.

    A group that cannot be clustered does not stop the others: its rows are counted.
    """
    options: KMeansOptions = task.options
    names = feature_names(columns, task.key, options, task.model)
    taken = {*names, *task.key, *options.group_by}
    others = [each.name for each in columns if each.kind != "number" and each.name not in taken]
    if options.features is None and others:
        step.log(Said(f"{step.model}: not numbers, and so no features: {', '.join(others)}"))
    profiles = profiles_of(step, relation, key=task.key, names=names, options=options)
    fitted: dict[str, tuple[Clustering, list[str]]] = {}
    failed: dict[str, CannotCluster] = {}
    for source, some in sources(step, relation, profiles, options):
        prepared = prepare(
            step, source, some, columns=columns, key=task.key, options=options, failed=failed
        )
        if prepared:
            fitted |= _fitted(step, _started(step, source, prepared, task, failed), task)
    if not profiles:
        raise ModelError(f"{step.model} has no row to cluster.")
    if not fitted:
        raise next(failed[each.group_key] for each in profiles if each.group_key in failed)
    ordered = [each.group_key for each in profiles if each.group_key in fitted]
    begin = "{}: " if options.group_by else ""
    warnings = _few(
        step, [[begin.format(group) + each for each in fitted[group][1]] for group in ordered]
    )
    left_out: dict[str, int] = {}
    refused = [each for each in profiles if each.group_key in failed]
    for each in refused:
        reason = failed[each.group_key].reason
        left_out[reason] = left_out.get(reason, 0) + each.rows
    if refused:
        named = [f"'{each.group_key}' ({failed[each.group_key].reason})" for each in refused]
        more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
        warnings.append(
            f"{len(named)} of {len(profiles)} groups cannot be clustered, and their rows are left"
            f" out: {', '.join(named[:NAMED])}{more}"
        )
    return [fitted[group][0] for group in ordered], left_out, warnings


def _few(step: Steps, warnings: Sequence[Sequence[str]]) -> list[str]:
    """Return the warnings of the first groups that have any, and how many groups have more."""
    warned = [each for each in warnings if each]
    said = [warning for each in warned[:NAMED] for warning in each]
    if len(warned) > NAMED:
        more = counted(len(warned) - NAMED, "more group")
        said.append(
            f"{more} with warnings of this kind: {step.model}_quality has the figures of each"
        )
    return said


def _started(
    step: Steps,
    source: Source,
    prepared: Sequence[Prepared],
    task: Task,
    failed: dict[str, CannotCluster],
) -> list[Started]:
    """Return the groups with their points and their starts."""
    options: KMeansOptions = task.options
    if source.by:
        ladders = [[points] for points in of_groups(step, source, prepared)]
    else:
        ladders = [levels(step, prepared[0], options)]
    previous = previous_fits(step, task, prepared)
    given = given_starts(step, prepared, previous, task)
    undecided = [place for place, starts in enumerate(given) if starts is None]
    drawn = {}
    if undecided:
        found = drawn_starts(
            step,
            [ladders[place][0] for place in undecided],
            [prepared[place] for place in undecided],
            options,
        )
        drawn = dict(zip(undecided, found, strict=True))
    started = []
    for place, group in enumerate(prepared):
        ladder, starts, last = ladders[place], given[place], previous[place]
        if starts is not None:
            given_start = Candidate(len(starts), 0, ladder[-1], starts)
            started.append(Started(group, ladder[-1:], [given_start], (), last))
        elif isinstance(answer := drawn[place], CannotCluster):
            failed[group.group_key] = answer
        else:
            started.append(Started(group, ladder, *answer, last))
    return started


def _move(step: Steps, started: Sequence[Started], options: KMeansOptions) -> tuple[float, int]:
    """Move the candidates; one statement a round serves all small groups."""
    record = Record()
    candidates = [each for group in started for each in group.candidates]
    ladder = started[0].ladder
    given = _run(step, candidates, record, options, final=ladder[-1], last=len(ladder) == 1)
    for group in started:
        place = group.ladder[0].place
        own = zip(record.rounds, record.places, strict=True)
        group.record.rounds = [each for each, at in own if at == place]
        group.record.iteration = record.iteration
    return given


def _run(
    step: Steps,
    candidates: Sequence[Candidate],
    record: Record,
    options: KMeansOptions,
    *,
    final: Points,
    last: bool,
) -> tuple[float, int]:
    """Move the starts; return the tolerance and the number of rounds that they were given."""
    tolerance = options.tolerance * (ROUGHLY if not last else 1 if options.group_by else FINELY)
    max_rounds = options.max_iterations if last else SAMPLE_ROUNDS
    run(
        step,
        candidates,
        record,
        tolerance=tolerance,
        max_rounds=max_rounds,
        drop=final.rows > FEW_ROWS or len(options.candidates) > 1 or bool(options.group_by),
    )
    return tolerance, max_rounds


def _fitted(
    step: Steps, started: Sequence[Started], task: Task
) -> dict[str, tuple[Clustering, list[str]]]:
    """Cluster some groups; return what came of each, and what to look at."""
    if not started:
        return {}
    options: KMeansOptions = task.options
    tolerance, max_rounds = _move(step, started, options)
    finalists: list[dict[int, Candidate]] = []
    for group in started:
        best = {}
        for k in sorted({each.k for each in group.candidates}):
            mine = [each for each in group.candidates if each.k == k and not each.part]
            best[k] = best_of(mine)
            if group.among:
                best[k] = swapped_on(
                    step,
                    best[k],
                    group.among,
                    group.record,
                    options,
                    tolerance=tolerance,
                    max_rounds=max_rounds,
                )
        for points in group.ladder[1:]:
            if points.table and (points is not group.ladder[-1] or len(best) > 1):
                _climb(step, list(best.values()), points, group.record, options, SAMPLE_ROUNDS)
        finalists.append(best)
    compared = _compared(step, started, finalists, options)
    chosen = []
    for group, best, (_, k, _, _) in zip(started, finalists, compared, strict=True):
        [*samples, final] = group.ladder
        step.drop(*(points.table for points in samples if points.table))
        if best[k].points.source != final.source:
            _climb(step, [best[k]], final, group.record, options, options.max_iterations)
        chosen.append(best[k])
    clusterings = finished(
        step, [each.prepared for each in started], [each.previous for each in started], chosen
    )
    return {
        clustering.group_key: _told(clustering, group, best, answer, options)
        for clustering, group, best, answer in zip(
            clusterings, started, chosen, compared, strict=True
        )
    }


def _told(
    clustering: Clustering,
    group: Started,
    best: Candidate,
    answer: tuple[list[Quality], int, str, str | None],
    options: KMeansOptions,
) -> tuple[Clustering, list[str]]:
    """Return a clustering with how it came about, and what a person should look at."""
    qualities, chosen, reason, caution = answer
    warnings = [
        f"'{name}' is the same in every row, and left out of the features"
        for name in group.prepared.constant
    ]
    if caution:
        warnings.append(caution)
    if best.status == "max_iterations":
        warnings.append(
            f"not converged after {options.max_iterations} rounds (MAX_ITER): raise"
            " max_iterations or tolerance"
        )
    # What is said of the chosen k is measured on the assignments, once they are made.
    qualities = [
        replace(each, chosen=each.k == chosen, chosen_reason=reason if each.k == chosen else None)
        for each in qualities
    ]
    notes = {"status": best.status, "iterations": best.iterations}
    told = replace(clustering, qualities=qualities, rounds=group.record.rounds, notes=notes)
    return told, warnings


def _climb(
    step: Steps,
    finalists: Sequence[Candidate],
    points: Points,
    record: Record,
    options: KMeansOptions,
    max_rounds: int,
) -> None:
    """Go on with the finalists on more points."""
    for each in finalists:
        each.points, each.sizes = points, ()
    run(
        step,
        finalists,
        record,
        tolerance=options.tolerance,
        max_rounds=max_rounds,
        drop=False,
    )


def _compared(
    step: Steps,
    started: Sequence[Started],
    finalists: Sequence[Mapping[int, Candidate]],
    options: KMeansOptions,
) -> list[tuple[list[Quality], int, str, str | None]]:
    """Measure every k of each group on its largest points that are a work table; choose one."""
    pairs: dict[tuple[int, int], tuple[Points, tuple[Centroids, Centroids]]] = {}
    several: dict[tuple[int, int], tuple[Points, Centroids]] = {}
    for place, (group, best) in enumerate(zip(started, finalists, strict=True)):
        for k in best:
            first, second = (
                [each for each in group.candidates if each.k == k and each.part == part]
                for part in HALVES
            )
            if first and second:
                halves = best_of(first).centroids, best_of(second).centroids
                pairs[place, k] = group.ladder[0], halves
            if len(best) > 1:
                several[place, k] = best[k].points, best[k].centroids
    alike = dict(zip(pairs, stability(step, list(pairs.values())), strict=True)) if pairs else {}
    found = (
        dict(zip(several, summaries(step, list(several.values())), strict=True)) if several else {}
    )
    compared: list[tuple[list[Quality], int, str, str | None]] = []
    for place, (group, best) in enumerate(zip(started, finalists, strict=True)):
        if len(best) == 1:
            [k] = best
            given = options.init_centroids or (options.warm_start and (place, k) not in pairs)
            reason = "start centroids were given" if given else "k was given"
            only = Quality(k, 0.0, 0.0, None, None, 0.0, alike.get((place, k)))
            compared.append(([only], k, reason, None))
            continue
        qualities = [
            scaled_up(
                replace(
                    quality(found[place, k], each.centroids), stability_ari=alike.get((place, k))
                ),
                group.prepared.total / each.points.weight,
            )
            for k, each in best.items()
        ]
        compared.append((qualities, *choose(qualities, options)))
    return compared
