"""Build and test a selection of models: check the target, build, test and publish, report."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace

from seg_sql import __version__, cohorts, freshness, kept_fits
from seg_sql.building import data_test, publish_together, walk
from seg_sql.checking import check_own
from seg_sql.data_tests import DataTest, attach, data_tests
from seg_sql.engines import WORK_PREFIX, Existing
from seg_sql.errors import DatabaseError, StartError, refused_as
from seg_sql.events import RunFinished, RunStarted, Said, TestFinished
from seg_sql.fitting import STATE
from seg_sql.journal import works
from seg_sql.ownership import RUN_TABLES, check_ours, leftovers
from seg_sql.project import UnitTest
from seg_sql.run import Run, end, finish, lose
from seg_sql.segment_history import histories, sources
from seg_sql.testing import stored_failures_name
from seg_sql.unit_test_runs import run_unit_tests, unit_tests_due
from seg_sql.wording import counted
from seg_sql.workspace import Workspace

_SAYS_AS_OF = re.compile(r"\bas_of\(\)|\bvar\(\s*['\"]as_of['\"]")


def build(run: Run, names: Iterable[str]) -> RunFinished:
    """Build, test and publish the named models in the order of the graph.

    Raises:
        SegSqlError: Before anything was touched, when the run cannot start: the target is in use
            or not ours to write to, or the input cannot be read.
    """
    workspace, engine = run.workspace, run.engine
    began = time.perf_counter()
    chosen = set(names)
    order = [name for name in workspace.graph.order if name in chosen]
    building = [name for name in order if workspace.nodes[name].builds]
    tests = _tests(run, order) if run.options.tests else {}
    units = unit_tests_due(run, order, only_changed=True) if run.options.tests else []
    run.target.prepare()
    with locked(run):
        with _starting():
            existing = engine.existing()
            ours = [
                output.name
                for name in building
                for output in workspace.nodes[name].outputs.values()
            ]
            ours += [each.name for name in building for each in histories(workspace, name)]
            check_ours(workspace, [*ours, *RUN_TABLES, *_kept(run, tests)], existing)
            _check_upstream(run, building, existing)
            _check_rights(run)
            engine.prepare_schema()
            _drop_leftovers(run, existing)
            _say_start(run, building, units, tests)
            if run.options.tests:
                _say_passed(run, order, units)
            _say_limits(run)
            check_own(workspace, order, run.log, run.texts)
            _settle(run, chosen)
            freshness.warn_if_less(workspace, run.steps, run.as_of, existing, run.log)
            readers = _readers(run, building)
            _refuse_other_days(run, readers, existing)
            kept_fits.warn_of_other_options(workspace, run.steps, existing, readers, run.log)
            fresh = run.options.full_refresh
            kept_fits.keep_fits(workspace, run.steps, existing, full_refresh=fresh)
            kept_fits.warn_of_changes(workspace, run.steps, existing, building, run.log)
            _let_grow(run, building, existing)
        try:
            run_unit_tests(run, units)
            walk(run, order, tests)
            if run.together:
                publish_together(run)
            _reconcile(run)
        finally:
            finished = finish(run, began)
    return finished


def test(run: Run, names: Iterable[str]) -> RunFinished:
    """Run the unit tests and data tests of the named models against what is published.

    Raises:
        SegSqlError: Before the first test, when the run cannot start.
    """
    began = time.perf_counter()
    workspace, engine = run.workspace, run.engine
    chosen = set(names)
    order = [name for name in workspace.graph.order if name in chosen]
    tests = _tests(run, order)
    units = unit_tests_due(run, order, only_changed=False)
    run.target.prepare()
    # The tables that keep failures are the only thing that this writes.
    with locked(run) if run.options.store_failures else nullcontext():
        with _starting():
            existing = engine.existing()
            check_ours(workspace, _kept(run, tests), existing)
            _say_start(run, [], units, tests)
            _settle(run, chosen)
        try:
            run_unit_tests(run, units)
            _run_data_tests(run, order, tests, existing)
        finally:
            finished = end(run, began)
    return finished


@contextmanager
def locked(run: Run) -> Iterator[None]:
    """Hold the target's build lock; the end of the connection gives it back in any case."""
    with _starting():
        run.engine.lock(run.options.wait)
    try:
        yield
    finally:
        with suppress(DatabaseError):
            run.engine.unlock()


@contextmanager
def _starting() -> Iterator[None]:
    """Let what the database refuses before the first model end the command with exit code 2."""
    try:
        yield
    except DatabaseError as error:
        raise StartError(error.message, where=error.where, hint=error.hint) from error


def _settle(run: Run, chosen: set[str]) -> None:
    """Find as_of; an input that cannot be read stops the run before it starts."""
    where = run.workspace.project.document.where("inputs", "order_lines")
    with refused_as(StartError, "The input order_lines cannot be read", where=where):
        run.as_of = freshness.settle(run.workspace, run.steps, chosen, run.log)


def _tests(run: Run, order: Sequence[str]) -> dict[str, list[DataTest]]:
    """Return the data tests of the chosen models, by the model after which each runs.

    A build leaves out a test that also reads a model below the chosen ones: its rows are
    yesterday's.
    """
    chosen = set(order)
    fresh = run.workspace.graph.with_above(chosen)
    found = []
    for each in data_tests(run.workspace):
        if run.workspace.limits.empty and each.file.name == "not_empty":
            continue
        mine = each.after & chosen
        if mine and (run.command == "test" or each.after <= fresh):
            found.append(replace(each, after=frozenset(mine)))
    return attach(found, run.workspace.graph.order)


def _kept(run: Run, tests: Mapping[str, list[DataTest]]) -> list[str]:
    """Return the tables that may be written to keep the rows of failed tests."""
    if not run.options.store_failures:
        return []
    return [
        stored_failures_name(each.name, run.workspace) for group in tests.values() for each in group
    ]


def _check_rights(run: Run) -> None:
    """Stop once when nothing can be written, instead of at every model."""
    missing = run.engine.missing_rights()
    if missing:
        raise StartError(
            f"The user of this target may not write to the schema {run.engine.schema}.",
            hint="\n  ".join(missing),
        )


def _let_grow(run: Run, building: Sequence[str], existing: Mapping[str, Existing]) -> None:
    """Decide which incremental models add to their table instead of making it anew."""
    workspace = run.workspace
    workspace.growing.clear()
    for name in building:
        node, found = workspace.nodes[name], existing.get(workspace.project.relation_name(name))
        if node.kind != "incremental" or run.options.full_refresh:
            continue
        if found is not None and found.kind == "table":
            workspace.growing.add(name)


def _check_upstream(run: Run, building: Sequence[str], existing: Mapping[str, Existing]) -> None:
    workspace = run.workspace
    there = {name for name in workspace.nodes if workspace.project.relation_name(name) in existing}
    there |= set(building)
    for name in building:
        node = workspace.nodes[name]
        if node.kind == "history" and not there.isdisjoint(sources(node)):
            # Its rows come with those of its sources that are built.
            continue
        for read in workspace.relations_read(name):
            if read not in there:
                raise StartError(
                    f"{name} reads {read}, which is not built in {run.engine.schema}.",
                    hint=f"Run `seg-sql build -s +{name}` to build what it reads as well.",
                )


def _readers(run: Run, building: Sequence[str]) -> dict[str, str]:
    """Return what is read and not built now, each with the first model that reads it."""
    return {
        read: name
        for name in reversed(building)
        for read in run.workspace.relations_read(name)
        if read not in building
    }


def _refuse_other_days(
    run: Run, readers: Mapping[str, str], existing: Mapping[str, Existing]
) -> None:
    """Refuse a model of this as_of that reads tables of another day, which are not built now.

    A model that says nothing of as_of has the rows of that day, which is a warning.
    """
    workspace = run.workspace
    records = workspace.project.relation_name(RUN_TABLES[0])
    if run.as_of is None or run.as_of.day is None or records not in existing:
        return
    others = [name for name in sorted(readers) if freshness.reads_order_lines(workspace, {name})]
    if not others:
        return
    relation = run.engine.relation(records)
    for row in run.steps.rows("built_as_of", runs=relation, models=others, day=str(run.as_of.day)):
        name = readers[row["model"]]
        said = (
            f"{name} reads {row['model']}, which was built as of {row['as_of']} and not"
            f" {run.as_of.day}"
        )
        hint = f"Run with -s +{name} to build what it reads as well."
        node = workspace.nodes[name]
        if node.algorithm is not None or _SAYS_AS_OF.search(node.model.text):
            raise StartError(f"{said}: its rows would mix two days.", hint=hint)
        run.log(Said(f"{said}: its rows are of that day.", level="warn", hint=hint))


def _drop_leftovers(run: Run, existing: Mapping[str, Existing]) -> None:
    """Drop the work relations of runs that died: whoever holds the lock is the only run."""
    dropped = 0
    kept = works(run.target.folder / STATE) if run.options.resume else set()
    for name in leftovers(existing):
        if name.removeprefix(WORK_PREFIX)[:8] in kept:
            continue
        try:
            run.engine.drop(name)
            dropped += 1
        except DatabaseError as error:
            if error.lost:
                raise
            run.log(Said(f"{name} could not be dropped: {error.message}", level="warn"))
    if dropped:
        what = counted(dropped, "work relation")
        run.log(Said(f"Dropped {what} of an interrupted run.", level="debug"))


def _say_start(
    run: Run,
    building: Sequence[str],
    units: Sequence[UnitTest],
    tests: Mapping[str, list[DataTest]],
) -> None:
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
                "unit tests": len(units),
                "data tests": sum(map(len, tests.values())),
            },
        )
    )


def _say_passed(run: Run, order: Sequence[str], units: Sequence[UnitTest]) -> None:
    passed = len(unit_tests_due(run, order, only_changed=False)) - len(units)
    if passed:
        verb = "is" if passed == 1 else "are"
        run.log(Said(f"{counted(passed, 'unit test')} passed before and {verb} not run again."))


def _say_limits(run: Run) -> None:
    """Say aloud when the tables will not hold what their names promise."""
    limits, schema = run.workspace.limits, run.engine.schema
    share = "" if limits.sample is None else f"{limits.sample:.4g} of the customers, as a sample"
    what = "no row" if limits.empty else share
    if what:
        run.log(
            Said(
                f"The tables of schema {schema} will hold {what}.",
                hint="For a check beside the real tables take a target of its own: --target ci.",
            )
        )


def _run_data_tests(
    run: Run,
    order: Sequence[str],
    tests: Mapping[str, Sequence[DataTest]],
    existing: Mapping[str, Existing],
) -> None:
    """Run data tests on what is published; what is not built cannot be tested."""
    missing: dict[str, None] = {}
    for each in (each for name in order for each in tests.get(name, ())):
        unbuilt = [
            name
            for name in sorted(_built_before(run.workspace, each))
            if run.workspace.project.relation_name(name) not in existing
        ]
        missing.update(dict.fromkeys(unbuilt))
        failed = any(event.status in ("fail", "error") for event in run.log.of(TestFinished))
        if run.lost or (failed and run.options.fail_fast):
            break
        if not unbuilt:
            try:
                data_test(run, each)
            except DatabaseError as error:
                lose(run, error)
    if missing:
        first, *others = missing
        also = f" and {len(others)} more" if others else ""
        run.log(
            Said(
                f"Not built in {run.engine.schema}, so that their data tests cannot run:"
                f" {first}{also}",
                level="error",
                hint="Run `seg-sql build` first.",
            )
        )


def _built_before(workspace: Workspace, each: DataTest) -> set[str]:
    """Return the relations of the target schema that a data test reads."""
    names = {workspace.owners[each.model], *each.after}
    built = {name for name in names if workspace.nodes[name].builds}
    return built.union(*(workspace.relations_read(name) for name in names - built))


def _reconcile(run: Run) -> None:
    """Say where the amount went; all is published by now, so that a fault here stops nothing."""
    if run.as_of is None or run.lost:
        return
    # What was built and not published is not there to be read; where no order line is left, only
    # the input is read.
    if run.together and run.failed and "order_lines_clean" not in run.failed:
        return
    try:
        freshness.reconcile(run.workspace, run.steps, run.log, scan=run.options.tests)
        if not run.workspace.limits.empty:
            cohorts.say_if_first_is_large(run.workspace, run.steps, run.log)
    except DatabaseError as error:
        run.lost = error.lost
        run.log(Said(f"The amounts could not be added up: {error.message}", level="warn"))
