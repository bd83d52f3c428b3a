"""KMeans inside the database: Lloyd's algorithm; every statement is in sql/algorithms/kmeans/.

A fit goes up a ladder. On a small hash sample several starts are drawn and moved until each has
converged or is clearly behind; the best goes on to a larger sample, and then to all rows, where a
few rounds are left to do. What is published is exact: each row is in the cluster of the nearest
published centroid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from seg_sql.algorithms import Fit, Task
from seg_sql.algorithms.kmeans_features import Prepared
from seg_sql.algorithms.kmeans_finish import assignments, finished, measured, small
from seg_sql.algorithms.kmeans_lloyd import Candidate, Record, best_of, run
from seg_sql.algorithms.kmeans_options import KMeansOptions
from seg_sql.algorithms.kmeans_outputs import Clustering, rows_of
from seg_sql.algorithms.kmeans_points import Points, levels, put_together
from seg_sql.algorithms.kmeans_prepare import CannotCluster, feature_names, prepare
from seg_sql.algorithms.kmeans_quality import (
    Quality,
    assigned,
    choose,
    quality,
    scaled_up,
    stability,
    summaries,
)
from seg_sql.algorithms.kmeans_score import scored
from seg_sql.algorithms.kmeans_seed import Cell, Centroids
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
# Groups of no more rows are moved together.
SMALL_GROUP = 5_000


def fit(step: Steps, relation: str, task: Task) -> Fit:
    """Cluster the rows of a relation; leave a work table for each output.

    Raises:
        ModelError: The rows or the options allow no clustering; says which and why.
    """
    if task.keep_fit and {"centroids", "features", "profile", ""} <= set(task.previous):
        return scored(step, relation, task)
    columns = step.engine.describe(step.sql("columns", relation=relation))
    made_before = len(step.made)
    clusterings, left_out, warnings = _fit_groups(step, relation, columns, task)
    published = assignments(step, clusterings, task)
    found = assigned(step, published, [each.group_key for each in clusterings])
    clusterings = [measured(step, each, found) for each in clusterings]
    warnings += _few(step, [small(each) for each in clusterings])
    outputs = {"": published, **output_tables(step, rows_of(clusterings, left_out))}
    scratch = [name for name in step.made[made_before:] if name not in outputs.values()]
    step.drop(*scratch)
    return Fit(
        outputs=outputs,
        status=_status(clusterings),
        warnings=warnings,
        parameters=_parameters(clusterings),
    )


@dataclass
class Started:
    """A fit whose starts are drawn.

    Attributes:
        prepared: Its rows.
        ladder: Its points.
        candidates: Its starts.
        among: The cells to search on among by swaps, if that is worth it.
        record: Its rounds.
    """

    prepared: Prepared
    ladder: list[Points]
    candidates: list[Candidate]
    among: Sequence[Cell]
    record: Record = field(default_factory=Record)

    @property
    def is_small(self) -> bool:
        """Return whether its rounds can be those of other groups too."""
        [*samples, final] = self.ladder
        return not samples and final.table is not None and final.rows <= SMALL_GROUP


def _fit_groups(
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
    if not options.group_by:
        prepared = prepare(
            step, relation, "all", columns=columns, key=task.key, names=names, options=options
        )
        clustering, warnings = _fit_group(step, _started(step, prepared, task), task)
        return [clustering], {}, warnings
    by = [step.engine.quote(name) for name in options.group_by]
    fitted: dict[str, tuple[Clustering, list[str]]] = {}
    waiting: dict[str, Started] = {}
    left_out: dict[str, int] = {}
    failed: dict[str, CannotCluster] = {}
    groups = step.rows("groups", relation=relation, columns=by)
    for row in groups:
        group = row["group_key"]
        literal = step.engine.literal(group)
        select = step.sql("group_rows", relation=relation, columns=by, group_key=literal)
        rows = step.relation(step.table(select, analyze=False))
        try:
            prepared = prepare(
                step, rows, group, columns=columns, key=task.key, names=names, options=options
            )
            started = _started(step, prepared, task)
        except CannotCluster as error:
            failed[group] = error
            left_out[error.reason] = left_out.get(error.reason, 0) + int(row["row_count"])
            continue
        if started.is_small:
            waiting[group] = started
        else:
            fitted[group] = _fit_group(step, started, task)
    _move_together(step, list(waiting.values()), options)
    for group, started in waiting.items():
        fitted[group] = _fit_group(step, started, task)
    if not groups:
        raise ModelError(f"{step.model} has no row to cluster.")
    if not fitted:
        raise next(iter(failed.values()))
    ordered = [row["group_key"] for row in groups if row["group_key"] in fitted]
    warnings = _few(step, [[f"{group}: {each}" for each in fitted[group][1]] for group in ordered])
    if failed:
        named = [f"'{group}' ({error.reason})" for group, error in failed.items()]
        more = f" and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
        warnings.append(
            f"{len(failed)} of {len(groups)} groups cannot be clustered, and their rows are left"
            f" out: {', '.join(named[:NAMED])}{more}"
        )
    return [fitted[group][0] for group in ordered], left_out, warnings


def _few(step: Steps, warnings: Sequence[Sequence[str]]) -> list[str]:
    """Return the warnings of the first groups that have any, and how many groups have more."""
    warned = [each for each in warnings if each]
    said = [warning for each in warned[:NAMED] for warning in each]
    if len(warned) > NAMED:
        more = f"{len(warned) - NAMED} more groups have warnings of this kind"
        said.append(f"{more}: {step.model}_quality has the figures of each")
    return said


def _started(step: Steps, prepared: Prepared, task: Task) -> Started:
    options: KMeansOptions = task.options
    ladder = levels(step, prepared, options)
    given = given_starts(step, prepared, task)
    if given is not None:
        return Started(prepared, ladder[-1:], [Candidate(len(given), 0, ladder[-1], given)], ())
    candidates, among = drawn_starts(step, ladder[0], prepared, options)
    return Started(prepared, ladder, candidates, among)


def _move_together(step: Steps, waiting: Sequence[Started], options: KMeansOptions) -> None:
    """Move the candidates of small groups, so that one statement a round serves all of them.

    To plan a statement for each group takes longer than to read its rows.
    """
    for axes in {len(each.prepared.features) for each in waiting}:
        groups = [each for each in waiting if len(each.prepared.features) == axes]
        if len(groups) < 2:
            continue
        points = [each.ladder[0] for each in groups]
        together = put_together(step, points, groups[0].prepared.xs)
        for place, group in enumerate(groups):
            for candidate in group.candidates:
                candidate.points = replace(candidate.points, together=together, place=place)
        record = Record()
        candidates = [each for group in groups for each in group.candidates]
        _run(step, candidates, record, options, final=points[0], last=True)
        for place, group in enumerate(groups):
            own = zip(record.rounds, record.places, strict=True)
            group.record.rounds = [each for each, at in own if at == place]


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


def _fit_group(step: Steps, started: Started, task: Task) -> tuple[Clustering, list[str]]:
    options: KMeansOptions = task.options
    prepared, ladder, record = started.prepared, started.ladder, started.record
    warnings = [
        f"'{name}' is the same in every row, and left out of the features"
        for name in prepared.constant
    ]
    candidates, final = started.candidates, ladder[-1]
    tolerance, max_rounds = 0.0, 0
    if not record.rounds:
        tolerance, max_rounds = _run(
            step, candidates, record, options, final=final, last=len(ladder) == 1
        )
    qualities: list[Quality] = []
    finalists = {}
    for k in sorted({each.k for each in candidates}):
        mine = [each for each in candidates if each.k == k and not each.part]
        finalists[k] = best_of(mine)
        if started.among:
            finalists[k] = swapped_on(
                step,
                finalists[k],
                started.among,
                record,
                options,
                tolerance=tolerance,
                max_rounds=max_rounds,
            )
    for points in ladder[1:]:
        if points.table and (points is not final or len(finalists) > 1):
            _climb(step, list(finalists.values()), points, record, options, SAMPLE_ROUNDS)
    qualities, chosen, reason, caution = _compared(
        step, finalists, candidates, ladder, prepared, options
    )
    if caution:
        warnings.append(caution)
    best = finalists[chosen]
    step.drop(*(points.table for points in ladder if points.table and points is not final))
    if best.points.source != final.source:
        _climb(step, [best], final, record, options, options.max_iterations)
    if best.status == "max_iterations":
        warnings.append(
            f"not converged after {options.max_iterations} rounds (MAX_ITER): raise"
            " max_iterations or tolerance"
        )
    clustering = finished(step, prepared, best, task)
    # What is said of the chosen k is measured on the assignments, once they are made.
    qualities = [
        replace(each, chosen=each.k == chosen, chosen_reason=reason if each.k == chosen else None)
        for each in qualities
    ]
    notes = {"status": best.status, "iterations": best.iterations}
    return (
        replace(clustering, qualities=qualities, rounds=record.rounds, notes=notes),
        warnings,
    )


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
    finalists: Mapping[int, Candidate],
    candidates: Sequence[Candidate],
    ladder: Sequence[Points],
    prepared: Prepared,
    options: KMeansOptions,
) -> tuple[list[Quality], int, str, str | None]:
    """Measure every k on the largest points that are a work table, and choose one."""
    ks = sorted(finalists)
    pairs: dict[int, tuple[Centroids, Centroids]] = {}
    for k in ks:
        halves = [
            [each for each in candidates if each.k == k and each.part == part] for part in HALVES
        ]
        if all(halves):
            pairs[k] = (best_of(halves[0]).centroids, best_of(halves[1]).centroids)
    found = stability(step, list(pairs.values()), ladder[0]) if pairs else []
    indices = dict(zip(pairs, found, strict=True))
    if len(ks) == 1:
        only = Quality(ks[0], 0.0, 0.0, None, None, 0.0, indices.get(ks[0]))
        given = options.init_centroids or (options.warm_start and not pairs)
        return [only], ks[0], "start centroids were given" if given else "k was given", None
    points = finalists[ks[0]].points
    measured = summaries(step, [finalists[k].centroids for k in ks], points.source)
    qualities = [
        scaled_up(
            replace(quality(clusters, finalists[k].centroids), stability_ari=indices.get(k)),
            prepared.total / points.weight,
        )
        for k, clusters in zip(ks, measured, strict=True)
    ]
    chosen, reason, caution = choose(qualities, options)
    return qualities, chosen, reason, caution


def _status(clusterings: Sequence[Clustering]) -> str:
    iterations = max(each.notes["iterations"] for each in clusterings)
    if any(each.notes["status"] == "max_iterations" for each in clusterings):
        return f"MAX_ITER in {iterations}"
    return f"CONVERGED in {iterations}"


def _parameters(clusterings: Sequence[Clustering]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in clusterings:
        end = "" if each.group_key == "all" else f".{each.group_key}"
        best = next(quality for quality in each.qualities if quality.chosen)
        found[f"k{end}"] = best.k
        found[f"inertia{end}"] = best.inertia
        found[f"silhouette{end}"] = best.silhouette
        found[f"iterations{end}"] = each.notes["iterations"]
    return found
