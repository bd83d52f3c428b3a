"""One run: what it was asked for, what has become of each model, and how it ends."""

from __future__ import annotations

import datetime
import math
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from seg_sql.artifacts import Target, outcomes
from seg_sql.engines import Engine
from seg_sql.errors import DatabaseError, SegSqlError, sentence
from seg_sql.events import Log, NodeFinished, NodeStarted, RunFinished, Said, Status, TestFinished
from seg_sql.freshness import AsOf
from seg_sql.history import record_nodes, record_parameters
from seg_sql.known_texts import KnownTexts
from seg_sql.nodes import Node
from seg_sql.step import Steps
from seg_sql.workspace import Workspace

# Seconds between two writings of what `retry` is to build: they take a few milliseconds.
KEPT_EVERY = 1.0


@dataclass(frozen=True)
class Options:
    """How a run goes about its work.

    Attributes:
        resume: Whether a fit that was interrupted goes on after its last finished iteration.
        wait: Seconds to wait for another build of the same target.
        args: What was asked for, kept in run_results.json so that `retry` can ask for it again.
    """

    tests: bool = True
    full_refresh: bool = False
    fail_fast: bool = False
    store_failures: bool = False
    warn_error: bool = False
    resume: bool = False
    wait: float = 0.0
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Run:
    """The state of one run.

    Attributes:
        failed: The models that are not as they should be: what is downstream of them is skipped.
        held: What is built and waits to be published together.
        fitted: What an algorithm found, by model and parameter.
        lost: Whether the connection is gone.
        interrupted: Whether the user ended the run.
        unit_tested: By model and dialect, which text of it passed its unit tests.
        new_rows: The work table with the new rows of an incremental model, by model.
        histories: The histories that are there, with all their columns.
        recorded: The models that seg_sql_runs has of this run.
        kept_at: When it was last written down what `retry` is to build, by the clock of the
            process; at the beginning it has not been.
        texts: What earlier runs know of the project's own texts.
    """

    workspace: Workspace
    command: str
    options: Options
    log: Log
    target: Target
    id: str
    started_at: datetime.datetime
    steps: Steps
    texts: KnownTexts
    as_of: AsOf | None = None
    failed: set[str] = field(default_factory=set)
    held: list[Node] = field(default_factory=list)
    fitted: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    lost: bool = False
    interrupted: bool = False
    unit_tested: dict[str, dict[str, str]] = field(default_factory=dict)
    new_rows: dict[str, str] = field(default_factory=dict)
    histories: set[str] = field(default_factory=set)
    recorded: set[str] = field(default_factory=set)
    kept_at: float = -math.inf

    @property
    def engine(self) -> Engine:
        """Return the connection."""
        return self.workspace.engine

    @property
    def args(self) -> dict[str, Any]:
        """Return what was asked for, and the as_of that was found: `retry` stays on that day."""
        found = self.as_of
        if found is None or found.day is None or found.origin == "given":
            return dict(self.options.args)
        return {**self.options.args, "as_of": str(found.day)}

    @cached_property
    def history_steps(self) -> Steps:
        """Return the statements of sql/history."""
        return self.steps.beside("history")

    @property
    def together(self) -> bool:
        """Return whether everything is published in one transaction at the end."""
        return self.workspace.project.config.publish in ("together", "copy")


def start(workspace: Workspace, command: str, options: Options, log: Log, target: Target) -> Run:
    """Begin a run: nothing is read or written yet."""
    work = secrets.token_hex(4)
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    return Run(
        workspace=workspace,
        command=command,
        options=options,
        log=log,
        target=target,
        id=f"{now:%Y%m%dT%H%M%S}-{work}",
        started_at=now,
        steps=Steps(workspace, "runner", run=work, log=log),
        texts=KnownTexts(target.folder / "known_texts.json"),
        unit_tested=target.unit_tested(),
    )


def node_started(run: Run, index: int, total: int, name: str) -> NodeStarted:
    """Return the event that a model is next."""
    relation = f"{run.engine.schema}.{run.workspace.project.relation_name(name)}"
    return NodeStarted(index, total, name, run.workspace.nodes[name].kind, relation)


def node_finished(
    run: Run,
    started: NodeStarted,
    status: Status,
    *,
    seconds: float = 0.0,
    rows: int | None = None,
    tests: int = 0,
    message: str = "",
    began_at: datetime.datetime | None = None,
    notes: str = "",
) -> None:
    """Log how a model ended; one that is not as it should be stops what is downstream."""
    if status != "success":
        run.failed.add(started.name)
    run.log(
        NodeFinished(
            index=started.index,
            total=started.total,
            name=started.name,
            kind=started.kind,
            relation=started.relation,
            status=status,
            seconds=seconds,
            rows=rows,
            tests=tests,
            message=message,
            started_at=began_at or now(),
            finished_at=now(),
            notes=notes,
        )
    )


def keep_for_retry(run: Run, names: Sequence[str], index: int) -> None:
    """Write down what `retry` is to build, should the process be killed in the next model.

    That is before the first one, before a long fit, and otherwise when some time has passed: a
    kill loses no more than what was built since.

    The database is told what is published: of which day its tables are. Those that a backfill
    makes, whose run has no as_of, are not.
    """
    pause = math.inf if run.together else KEPT_EVERY
    is_recent = time.perf_counter() - run.kept_at < pause
    if is_recent and not run.workspace.nodes[names[index - 1]].is_long:
        return
    if run.as_of is not None and not run.together:
        with suppress(SegSqlError):  # the end of the run tries again, and tells
            _record_nodes(run)
    log = Log(events=list(run.log.events))
    for place, name in enumerate(names, 1):
        if place >= index or run.together:
            started = node_started(run, place, len(names), name)
            log.events.append(
                NodeFinished(
                    **vars(started), status="skipped", seconds=0.0, message="the run was killed"
                )
            )
    ended = RunFinished(run.id, run.command, 0, 0, 0, 0, 0.0, 0.0)
    with suppress(SegSqlError):
        run.target.write_results(run.workspace, log, ended, run.started_at, run.args)
    run.kept_at = time.perf_counter()


def lose(run: Run, error: DatabaseError) -> None:
    """Take note that the connection is gone: no further statement can run."""
    run.lost = True
    run.log(Said(error.message, level="error", hint=error.hint))


def drop_hidden(run: Run, names: Iterable[str]) -> None:
    """Drop the hidden relations of models."""
    for name in names:
        hidden = run.workspace.hidden.pop(name, None)
        if hidden is None or run.lost:
            continue
        try:
            run.engine.drop(hidden)
        except DatabaseError as error:
            # After an interruption the connection may be in the middle of a statement.
            run.lost = error.lost or run.interrupted
            said = f"{hidden} could not be dropped: {sentence(error.message)}"
            run.log(Said(said, level="warn", hint="The next build drops it."))


def drop_made(run: Run) -> None:
    """Drop what is hidden still; what was made last may depend on what was made first."""
    drop_hidden(run, list(reversed(run.workspace.hidden)))
    run.workspace.hidden |= run.new_rows
    drop_hidden(run, list(run.new_rows))


def _record_nodes(run: Run) -> None:
    nodes = [event for event in outcomes(run.log) if event.name not in run.recorded]
    if nodes:
        record_nodes(run.workspace, run.steps, nodes, run.id, run.as_of)
        run.recorded |= {event.name for event in nodes}


def _record(run: Run) -> None:
    _record_nodes(run)
    if run.recorded:
        built = [event.name for event in outcomes(run.log) if event.status == "success"]
        record_parameters(run.workspace, run.steps, run.id, run.as_of, run.fitted, built)


def finish(run: Run, began: float) -> RunFinished:
    """Clean up and record the run; never hide the error that ended it."""
    drop_made(run)
    if not run.lost:
        try:
            _record(run)
            run.target.write_catalog(run.workspace, run.steps)
            run.engine.checkpoint()
        except SegSqlError as error:
            said = f"The run could not be recorded: {sentence(error.message)}"
            run.log(Said(said, level="warn"))
    return end(run, began)


def end(run: Run, began: float) -> RunFinished:
    """Count what happened and write the artifacts."""
    statuses = [event.status for event in outcomes(run.log)]
    statuses += [event.status for event in run.log.of(TestFinished)]
    said = [each.level for each in run.log.of(Said)]
    warnings, errors = said.count("warn"), said.count("error")
    if run.options.warn_error:
        warnings, errors = 0, errors + warnings
    finished = RunFinished(
        run_id=run.id,
        command=run.command,
        passed=statuses.count("success") + statuses.count("pass"),
        warned=statuses.count("warn") + warnings,
        failed=statuses.count("error") + statuses.count("fail") + errors,
        skipped=statuses.count("skipped"),
        seconds=time.perf_counter() - began,
        seconds_in_database=run.engine.seconds,
    )
    try:
        run.target.write(
            run.workspace,
            run.log,
            finished,
            started_at=run.started_at,
            args=run.args,
            unit_tested=run.unit_tested,
        )
    except SegSqlError as error:
        # What is published stays so; but `retry` and other programs would read of an older run.
        run.log(Said(error.message, level="error", hint=error.hint))
        finished = replace(finished, failed=finished.failed + 1)
    run.texts.keep()
    run.log(finished)
    return finished


def now() -> datetime.datetime:
    """Return the present moment."""
    return datetime.datetime.now(datetime.UTC)
