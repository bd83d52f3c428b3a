"""Write the history of days gone by: each as_of as a build on that day would have written it.

The models are built beside the published ones, under names of their own, and write the same tables
of the history. What readers see of today's segments stays as it is.
"""

from __future__ import annotations

import calendar
import datetime
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from seg_sql import freshness
from seg_sql.artifacts import Target
from seg_sql.building import walk
from seg_sql.errors import SelectionError, StartError, did_you_mean
from seg_sql.events import Log, NodeFinished, Progressed, Said
from seg_sql.kept_fits import keep_fits
from seg_sql.ownership import ASIDE_PREFIX, aside, check_ours, leftovers
from seg_sql.run import Options, drop_made, start
from seg_sql.runner import locked
from seg_sql.segment_history import histories
from seg_sql.session import Settings, artifacts_folder, session
from seg_sql.step import Steps
from seg_sql.workspace import Workspace

Every = Literal["day", "week", "month"]


def backfill(
    settings: Settings,
    log: Log,
    models: Sequence[str],
    *,
    first: datetime.date,
    last: datetime.date,
    every: Every,
    full_refresh: bool = False,
) -> int:
    """Write the history of models for each as_of from `first` to `last`; return the exit code.

    An as_of that the history has already is left as it is, unless `full_refresh` says otherwise:
    that is also how a backfill goes on after it was interrupted.

    Raises:
        SelectionError: A model keeps no history, or the days are the wrong way round.
    """
    days = as_of_days(first, last, every)
    with session(settings, writes=True) as real:
        names = _sources(real, models)
        workspace = _beside(real)
        order = _order(workspace, names)
        target = Target(artifacts_folder(settings) / "backfill")
        run = start(workspace, "backfill", Options(tests=False, wait=settings.wait), log, target)
        engine, failed = run.engine, False
        with locked(run):
            existing = engine.existing()
            outputs = [o.name for name in order for o in workspace.nodes[name].outputs.values()]
            kept = [node.name for name in names for node in histories(workspace, name)]
            check_ours(workspace, [*outputs, *kept], existing)
            engine.prepare_schema()
            done = set() if full_refresh else _done(workspace, run.history_steps, names)
            # What was fitted for the last day serves the next one, also after an interruption.
            goes_on = not done.isdisjoint(days)
            for name in [*leftovers(existing), *([] if goes_on else aside(real, existing))]:
                engine.drop(name)
            as_of = freshness.settle(workspace, run.steps, set(order), Log())
            if as_of is None or as_of.day is None:
                raise StartError("Without dates there is no history.")
            _check_last(workspace, days, as_of, log)
            if early := [day for day in days if as_of.first is not None and day <= as_of.first]:
                log(
                    Said(
                        f"{len(early)} of {len(days)} as_of are before any order: the first is of"
                        f" {as_of.first}.",
                        hint="They have no customers, and are left out.",
                    )
                )
                days = [day for day in days if day not in early]
            if skipped := [day for day in days if day in done]:
                log(
                    Said(
                        f"{len(skipped)} of {len(days)} as_of are in the history already.",
                        hint="--full-refresh writes them anew.",
                    )
                )
            days = [day for day in days if day not in done]
            for number, day in enumerate(days, 1):
                found = _write(workspace, order, day, target)
                for event in found.of(NodeFinished):
                    if event.status == "error":
                        failed = True
                        log(Said(f"as_of {day}: {event.name}: {event.message}", level="error"))
                rows = {
                    event.name: event.rows
                    for event in found.of(NodeFinished)
                    if event.name in names and event.status == "success"
                }
                log(Progressed(number, len(days), f"as_of {day}", rows))
            for name in aside(real, engine.existing()):
                engine.drop(name)
    if days:
        log(Said("`seg-sql build -s segment_moves` says how the customers moved since then."))
    return 1 if failed else 0


def _check_last(
    workspace: Workspace, days: Sequence[datetime.date], as_of: freshness.AsOf, log: Log
) -> None:
    """Refuse days that are still to come, and tell of those after the last order line."""
    tomorrow = freshness.today(workspace.project.vars.timezone).date() + datetime.timedelta(1)
    # A project whose own as_of lies ahead, as a demo may, has its history up to there.
    latest = max(tomorrow, as_of.day or tomorrow)
    if days[-1] > latest:
        raise StartError(
            f"as_of {days[-1]} lies in the future: nobody knows who will have bought by then.",
            hint=f"Give --to {latest}, or an earlier day.",
        )
    known = None if as_of.last is None else as_of.last + datetime.timedelta(1)
    if late := [day for day in days if known is not None and day > known]:
        log(
            Said(
                f"{len(late)} of {len(days)} as_of are after the last order line, of {as_of.last}:"
                " as if nobody had bought since.",
                level="warn",
                hint=f"Is the input up to date? If not, give --to {known}; a day that was written"
                f" goes by `seg-sql forget --as-of {late[-1]}`.",
            )
        )


def as_of_days(first: datetime.date, last: datetime.date, every: Every) -> list[datetime.date]:
    """Return the days from `first` to `last`, in steps of a day, a week or a calendar month.

    >>> [str(day) for day in as_of_days(datetime.date(2026, 1, 31), datetime.date(2026, 4, 1),
    ...     "month")]
    ['2026-01-31', '2026-02-28', '2026-03-31']
    """
    if last < first:
        raise SelectionError(
            f"--from {first} is later than --to {last}.", hint="Give the earlier day first."
        )
    days = []
    for number in range((last - first).days + 1):
        if every == "month":
            year, month = divmod(first.year * 12 + first.month - 1 + number, 12)
            length = calendar.monthrange(year, month + 1)[1]
            day = datetime.date(year, month + 1, min(first.day, length))
        else:
            day = first + datetime.timedelta(days=number * (7 if every == "week" else 1))
        if day > last:
            break
        days.append(day)
    return days


def _sources(workspace: Workspace, models: Sequence[str]) -> list[str]:
    known = [name for name in workspace.nodes if histories(workspace, name)]
    for name in models:
        if name not in known:
            raise SelectionError(
                f"'{name}' keeps no history.",
                hint=did_you_mean(name, known) or f"Those that do: {', '.join(known)}.",
            )
    return list(dict.fromkeys(models))


def _beside(real: Workspace) -> Workspace:
    """Return the same project, whose models are published under names of their own."""
    project = real.project
    keeping = {node.name for node in histories(real)}
    renamed = {
        name: project.relation_name(f"{ASIDE_PREFIX}{name}")
        for name in real.owners
        if name not in keeping
    }
    config = project.config.model_copy(update={"publish": "each", "grants": {}})
    return replace(
        real, project=replace(project, config=config, renamed=renamed), hidden={}, kept_fits=set()
    )


def _order(workspace: Workspace, names: Sequence[str]) -> list[str]:
    wanted = workspace.graph.with_above(names)
    return [name for name in workspace.graph.order if name in wanted]


def _done(workspace: Workspace, steps: Steps, names: Sequence[str]) -> set[datetime.date]:
    """Return the days that every one of the models has in the history."""
    existing = steps.engine.existing()
    days: list[set[datetime.date]] = []
    for name in names:
        history = histories(workspace, name)[0].name
        known = workspace.project.relation_name(history) in existing
        given: dict[str, Any] = {"history": workspace.published(history), "source": name}
        days.append({row["as_of"] for row in steps.rows("kept_days", **given)} if known else set())
    return set.intersection(*days)


def _write(workspace: Workspace, order: Sequence[str], day: datetime.date, target: Target) -> Log:
    """Build the models as of a day, which writes the history; return what happened."""
    found = Log()
    workspace.renderer.set_variables({"as_of": day, "as_of_reason": "after as_of"})
    run = start(workspace, "backfill", Options(tests=False), found, target)
    keep_fits(workspace, run.steps, workspace.engine.existing())
    try:
        walk(run, order, {})
    finally:
        drop_made(run)
    return found
