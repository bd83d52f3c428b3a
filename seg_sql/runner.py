"""Walk the graph: render, build under a hidden name, test, publish; one model at a time."""

from __future__ import annotations

import datetime
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from seg_sql import __version__, freshness
from seg_sql.artifacts import Target, modified_since
from seg_sql.checking import check_own
from seg_sql.engines import WORK_PREFIX, Engine, Existing, Publication, RelationKind
from seg_sql.errors import DatabaseError, ModelError, SegSqlError, StartError
from seg_sql.events import Log, NodeFinished, NodeStarted, RunFinished, RunStarted, Said, Status
from seg_sql.freshness import AsOf
from seg_sql.history import record
from seg_sql.step import Steps
from seg_sql.testing import DataTest, attach, data_tests, run_data_test
from seg_sql.unit_testing import run_unit_test
from seg_sql.workspace import Node, Workspace, sql_error_place


@dataclass(frozen=True)
class Options:
    """How a run goes about its work."""

    models: bool = True
    tests: bool = True
    full_refresh: bool = False
    fail_fast: bool = False
    store_failures: bool = False
    warn_error: bool = False
    wait: float = 0.0


@dataclass
class Run:
    """The state of one run."""

    workspace: Workspace
    engine: Engine
    command: str
    options: Options
    log: Log
    target: Target
    id: str
    work: str
    started_at: datetime.datetime
    steps: Steps
    as_of: AsOf | None = None
    failed: set[str] = field(default_factory=set)
    held: list[tuple[Node, str]] = field(default_factory=list)

    @property
    def together(self) -> bool:
        """Return whether everything is published in one transaction at the end."""
        return self.workspace.project.config.publish == "together"


def start(workspace: Workspace, command: str, options: Options, log: Log, target: Target) -> Run:
    """Begin a run: nothing is read or written yet."""
    engine = workspace.engine
    if engine is None:
        raise StartError("A run needs a connection.")
    work = secrets.token_hex(4)
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    return Run(
        workspace=workspace,
        engine=engine,
        command=command,
        options=options,
        log=log,
        target=target,
        id=f"{now:%Y%m%dT%H%M%S}-{work}",
        work=work,
        started_at=now,
        steps=Steps(workspace, engine, work, "runner"),
    )


def build(run: Run, names: Iterable[str]) -> RunFinished:
    """Build, test and publish the named models in the order of the graph.

    Raises:
        StartError: Before anything was touched, when the target is not ours to write to.
    """
    workspace, engine = run.workspace, run.engine
    began = time.perf_counter()
    chosen = set(names)
    order = [name for name in workspace.graph.order if name in chosen]
    building = [name for name in order if workspace.nodes[name].builds]
    tests = _tests(run, order) if run.options.tests else {}
    engine.lock(run.options.wait)
    try:
        existing = engine.existing()
        _check_ours(run, building, existing)
        _check_upstream(run, building, existing)
        engine.prepare_schema()
        _drop_leftovers(run, existing)
        _say_start(run, building, tests)
        check_own(workspace, order, run.log)
        run.as_of = freshness.settle(run.workspace, run.steps, chosen, run.log)
        freshness.keep_fits(run.workspace, run.steps, existing, run.options.full_refresh)
        _run_unit_tests(run, order)
        _walk(run, building, tests, existing)
        if run.together:
            _publish_together(run)
        if run.options.models:
            freshness.reconcile(run.workspace, run.steps, run.log)
    except DatabaseError as error:
        if not error.lost:
            raise
        run.failed.add("connection")
        run.log(Said(f"{error}", level="error"))
    finally:
        finished = _finish(run, began, order)
    return finished


def test(run: Run, names: Iterable[str]) -> RunFinished:
    """Run the unit tests and data tests of the named models against what is published."""
    began = time.perf_counter()
    workspace, engine = run.workspace, run.engine
    chosen = set(names)
    order = [name for name in workspace.graph.order if name in chosen]
    tests = _tests(run, order)
    existing = engine.existing()
    _say_start(run, [], tests)
    run.as_of = freshness.settle(workspace, run.steps, chosen, run.log)
    try:
        for unit in workspace.project.unit_tests:
            if unit.entry.model in chosen:
                run.log(run_unit_test(unit, workspace, engine))
        for name in order:
            for each in tests.get(name, ()):
                missing = [
                    read
                    for read in sorted(each.after)
                    if workspace.nodes[read].builds
                    and workspace.project.relation_name(read) not in existing
                ]
                if missing:
                    raise StartError(
                        f"{missing[0]} is not built in {engine.schema}, so {each.name} has"
                        " nothing to test.",
                        hint=f"Run `seg-sql build -s +{missing[0]}` first.",
                    )
                _data_test(run, each)
    finally:
        finished = _summary(run, began)
        run.target.write(workspace, run.log, finished, run.started_at)
    return finished


def _tests(run: Run, order: Sequence[str]) -> dict[str, list[DataTest]]:
    """Return the data tests of the chosen models, by the model after which each runs.

    A build leaves out a test that also reads a model below the chosen ones: its rows are
    yesterday's.
    """
    chosen = set(order)
    fresh = chosen | {up for name in chosen for up in run.workspace.graph.above(name)}
    found = []
    for each in data_tests(run.workspace):
        if run.workspace.limits.empty and each.file.name == "not_empty":
            continue
        mine = each.after & chosen
        if mine and (run.command == "test" or each.after <= fresh):
            found.append(replace(each, after=frozenset(mine)))
    return attach(found, run.workspace.graph.order)


def _check_ours(run: Run, building: Sequence[str], existing: Mapping[str, Existing]) -> None:
    """Stop before anything starts when a relation of ours would replace somebody else's."""
    mark = f"seg-sql:{run.workspace.project.name}:"
    folded = {name.lower(): relation for name, relation in existing.items()}
    for name in (*building, "seg_sql_runs", "seg_sql_run_parameters"):
        relation = run.workspace.project.relation_name(name)
        found = existing.get(relation) or (
            folded.get(relation.lower()) if run.engine.dialect == "duckdb" else None
        )
        if found is not None and mark not in (found.comment or ""):
            other = (found.comment or "").rpartition("seg-sql:")[2].partition(":")[0]
            whose = (
                f"belongs to the project '{other}'"
                if "seg-sql:" in (found.comment or "")
                else "was not made by seg-sql"
            )
            raise StartError(
                f"The {found.kind} {run.engine.schema}.{relation} {whose}; it is left as it is.",
                hint="Write elsewhere: set another 'schema' in profiles.yml, or a 'prefix' in"
                " seg_sql.yml; or rename that relation.",
            )


def _check_upstream(run: Run, building: Sequence[str], existing: Mapping[str, Existing]) -> None:
    workspace = run.workspace
    for name in building:
        for read in _relations_read(workspace, name):
            if read not in building and workspace.project.relation_name(read) not in existing:
                raise StartError(
                    f"{name} reads {read}, which is not built in {run.engine.schema}.",
                    hint=f"Run `seg-sql build -s +{name}` to build what it reads as well.",
                )


def _relations_read(workspace: Workspace, name: str) -> set[str]:
    """Return the relations that a model reads, itself or through an ephemeral model."""
    found: set[str] = set()
    for ref in workspace.nodes[name].refs:
        if workspace.nodes[ref].builds:
            found.add(ref)
        else:
            found |= _relations_read(workspace, ref)
    return found


def _drop_leftovers(run: Run, existing: Mapping[str, Existing]) -> None:
    """Drop the work relations of runs that died: whoever holds the lock is the only run."""
    left = [name for name in existing if name.startswith(WORK_PREFIX)]
    for name in sorted(left, key=lambda each: existing[each].kind != "view"):
        run.engine.drop(name)
    if left:
        run.log(Said(f"Dropped {len(left)} work tables of an interrupted run.", level="debug"))


def _say_start(run: Run, building: Sequence[str], tests: Mapping[str, list[DataTest]]) -> None:
    nodes = run.workspace.nodes
    run.log(
        RunStarted(
            run_id=run.id,
            command=run.command,
            version=__version__,
            engine=f"{run.engine.dialect} {run.engine.version}",
            target=run.workspace.target_name,
            schema=run.engine.schema,
            counts={
                "models": sum(nodes[name].kind != "seed" for name in building),
                "seeds": sum(nodes[name].kind == "seed" for name in building),
                "data tests": sum(map(len, tests.values())),
            },
        )
    )


def _run_unit_tests(run: Run, order: Sequence[str]) -> None:
    """Run the unit tests of the models whose text has changed since the last run."""
    if not run.options.tests:
        return
    changed = modified_since(run.target.folder, run.workspace)
    for unit in run.workspace.project.unit_tests:
        if unit.entry.model in order and unit.entry.model in changed:
            finished = run_unit_test(unit, run.workspace, run.engine)
            run.log(finished)
            if finished.status in ("fail", "error"):
                run.failed.add(unit.entry.model)


def _walk(
    run: Run,
    building: Sequence[str],
    tests: Mapping[str, list[DataTest]],
    existing: Mapping[str, Existing],
) -> None:
    stop = False
    for index, name in enumerate(building, 1):
        node = run.workspace.nodes[name]
        broken = sorted(
            {*_relations_read(run.workspace, name), *run.workspace.graph.above(name), name}
            & run.failed
        )
        started = NodeStarted(
            index, len(building), name, node.kind, f"{run.engine.schema}.{_relation(run, name)}"
        )
        if broken or stop:
            why = (
                "its unit test failed"
                if broken == [name]
                else f"{broken[0]} failed"
                if broken
                else "an earlier failure stopped the run"
            )
            _node_finished(run, started, "skipped", 0.0, message=why)
            run.failed.add(name)
            continue
        run.log(started)
        _build_node(run, node, started, tests.get(name, []))
        stop = run.options.fail_fast and bool(run.failed)


def _relation(run: Run, name: str) -> str:
    return run.workspace.project.relation_name(name)


def _build_node(run: Run, node: Node, started: NodeStarted, tests: Sequence[DataTest]) -> None:
    """Build one model under a hidden name, test it, and publish it if all is well."""
    began, began_at = time.perf_counter(), _now()
    hidden: str | None = None
    rows: int | None = None
    try:
        sql = _select(run, node)
        hidden = run.steps.work_name()
        kind: RelationKind = "view" if node.kind == "view" else "table"
        rows = run.engine.create(hidden, kind, sql, work=False)
        run.workspace.hidden[node.name] = hidden
        worst: Status = "pass"
        for each in tests:
            status = _data_test(run, each)
            if status in ("fail", "error"):
                worst = "fail"
                if run.options.fail_fast:
                    break
        if worst == "fail":
            raise ModelError("A data test failed: the published table stays as it was.")
        if run.together:
            run.held.append((node, hidden))
            hidden = None
        else:
            del run.workspace.hidden[node.name]
            run.engine.publish([_publication(run, node, hidden)])
            hidden = None
    except SegSqlError as error:
        run.failed.add(node.name)
        run.workspace.hidden.pop(node.name, None)
        if isinstance(error, DatabaseError):
            _explain(run, node, error)
        _node_finished(
            run,
            started,
            "error",
            time.perf_counter() - began,
            message=str(error),
            began_at=began_at,
        )
        if isinstance(error, DatabaseError) and error.lost:
            raise
        if hidden is not None:
            run.engine.drop(hidden)
        return
    except BaseException:
        run.failed.add(node.name)
        raise
    _node_finished(
        run,
        started,
        "success",
        time.perf_counter() - began,
        rows=rows,
        tests=len(tests),
        began_at=began_at,
    )


def _select(run: Run, node: Node) -> str:
    """Return the SELECT of a model or seed, and keep it in target/compiled."""
    if node.kind == "seed":
        from seg_sql.seeds import seed_select

        return seed_select(node.model, run.steps)
    sql = run.workspace.compile(node.name)
    run.target.keep_compiled(node.model.shown, sql)
    return sql


def _publication(run: Run, node: Node, hidden: str) -> Publication:
    entry = node.model.entry
    project = run.workspace.project
    mark = f"seg-sql:{project.name}:{node.name}"
    described = entry.description.strip()
    grants = {key: list(roles) for key, roles in project.config.grants.items()}
    for key, roles in node.config.grants.items():
        grants[key] = [*grants.get(key, []), *roles]
    view = node.kind == "view"
    return Publication(
        name=_relation(run, node.name),
        kind="view" if view else "table",
        hidden=hidden,
        select=run.workspace.compile(node.name) if view else "",
        comment=f"{described}\n\n{mark}" if described else mark,
        column_comments={c.name: c.description.strip() for c in entry.columns if c.description},
        indexes=node.config.indexes,
        grants=grants,
    )


def _publish_together(run: Run) -> None:
    """Publish all that was held back, or nothing."""
    held, run.held = run.held, []
    for node, _ in held:
        run.workspace.hidden.pop(node.name, None)
    if run.failed:
        for _, hidden in reversed(held):
            run.engine.drop(hidden)
        run.log(Said("Nothing is published, because a model failed (publish: together)."))
        return
    run.engine.publish([_publication(run, node, hidden) for node, hidden in held])


def _data_test(run: Run, each: DataTest) -> Status:
    finished, sql = run_data_test(each, run.workspace, run.engine, store=run.options.store_failures)
    compiled = run.target.keep_compiled(f"sql/tests/{each.name}.sql", sql) if sql else ""
    status: Status = (
        "fail" if finished.status == "warn" and run.options.warn_error else finished.status
    )
    run.log(replace(finished, status=status, compiled=str(compiled)))
    return status


def _explain(run: Run, node: Node, error: DatabaseError) -> None:
    """Add the template's line, the compiled file and three lines of SQL to a database's words."""
    if error.sql is None:
        return
    place = sql_error_place(node.model, error.sql, error.position)
    error.where = error.where or place or node.model.shown
    compiled = run.target.compiled_path(node.model.shown)
    lines = [f"compiled: {compiled}"]
    if error.position is not None:
        number = error.sql.count("\n", 0, error.position)
        column = error.position - (error.sql.rfind("\n", 0, error.position) + 1)
        text = error.sql.splitlines()
        first = max(number - 1, 0)
        for index in range(first, min(number + 2, len(text))):
            lines.append(f"{index + 1:>5} | {text[index]}")
            if index == number:
                lines.append(" " * 5 + " | " + " " * column + "^")
    error.hint = "\n  ".join([*([error.hint] if error.hint else []), *lines])


def _node_finished(
    run: Run,
    started: NodeStarted,
    status: Status,
    seconds: float,
    *,
    rows: int | None = None,
    tests: int = 0,
    message: str = "",
    began_at: datetime.datetime | None = None,
) -> None:
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
            started_at=began_at or _now(),
            finished_at=_now(),
        )
    )


def _finish(run: Run, began: float, order: Sequence[str]) -> RunFinished:
    """Clean up, record the run, give the lock back; never hide the error that ended the run."""
    try:
        if "connection" not in run.failed:
            for _, hidden in reversed(run.held):
                run.engine.drop(hidden)
            for hidden in run.workspace.hidden.values():
                run.engine.drop(hidden)
            run.workspace.hidden.clear()
            record(run.workspace, run.steps, run.log, run.id, run.as_of)
            run.engine.unlock()
    except DatabaseError as error:
        run.log(Said(f"The run could not be tidied up: {error.message}", level="warn"))
    finished = _summary(run, began)
    run.target.write(run.workspace, run.log, finished, run.started_at)
    return finished


def _summary(run: Run, began: float) -> RunFinished:
    from seg_sql.events import TestFinished

    statuses = [event.status for event in run.log.of(NodeFinished)]
    statuses += [event.status for event in run.log.of(TestFinished)]
    warnings = sum(said.level == "warn" for said in run.log.of(Said))
    lost = "connection" in run.failed
    finished = RunFinished(
        run_id=run.id,
        command=run.command,
        passed=sum(status in ("success", "pass") for status in statuses),
        warned=statuses.count("warn") + warnings,
        failed=statuses.count("error")
        + statuses.count("fail")
        + int(lost and "error" not in statuses)
        + (warnings if run.options.warn_error else 0),
        skipped=statuses.count("skipped"),
        seconds=time.perf_counter() - began,
        seconds_in_database=run.engine.seconds,
    )
    run.log(finished)
    return finished


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
