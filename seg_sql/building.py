"""Build one model after another under a hidden name, test it there, and publish it."""

from __future__ import annotations

import re
import time
from collections.abc import Container, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from seg_sql import segment_history, slices
from seg_sql.data_tests import DataTest
from seg_sql.engines import Publication, RelationKind
from seg_sql.errors import DatabaseError, ModelError, SegSqlError, sentence
from seg_sql.events import NodeFinished, NodeStarted, Said, Status
from seg_sql.fitting import empty, fill, fit
from seg_sql.nodes import Node
from seg_sql.ownership import described
from seg_sql.project import Model
from seg_sql.run import (
    Run,
    drop_hidden,
    keep_for_retry,
    lose,
    node_finished,
    node_started,
    now,
)
from seg_sql.sql_errors import lines_around, sql_error_place
from seg_sql.testing import run_data_test


def walk(run: Run, order: Sequence[str], tests: Mapping[str, Sequence[DataTest]]) -> None:
    """Build each model in turn; one that fails takes only those with it that read it."""
    stopped: str | None = None
    building = [name for name in order if run.workspace.nodes[name].builds]
    index = 0
    for name in order:
        if name not in building:
            _test_inlined(run, name, tests.get(name, []))
            continue
        index += 1
        started = node_started(run, index, len(building), name)
        if run.lost:
            stopped = "the connection was lost"
        elif run.options.fail_fast and run.failed:
            stopped = stopped or "an earlier failure stopped the run"
        why = stopped or _broken(run, name)
        if why is not None:
            node_finished(run, started, "skipped", message=why)
            continue
        run.log(started)
        began = time.perf_counter()
        keep_for_retry(run, building, index)
        try:
            _build(run, run.workspace.nodes[name], started, tests.get(name, []))
        except BaseException as error:
            # Interrupted by the user, or a fault of ours: what is left counts as skipped, so
            # that `retry` builds it.
            run.interrupted = isinstance(error, KeyboardInterrupt)
            said = (
                "interrupted; `seg-sql retry` builds what is left"
                if run.interrupted
                else f"{type(error).__name__}: {error}"
            )
            seconds = time.perf_counter() - began
            node_finished(run, started, "error", seconds=seconds, message=said)
            for later, other in enumerate(building[index:], index + 1):
                left = node_started(run, later, len(building), other)
                node_finished(run, left, "skipped", message=f"{name}: {said}")
            raise


def _test_inlined(run: Run, name: str, tests: Sequence[DataTest]) -> None:
    """Test an ephemeral model in its turn: when it fails, the models that read it are skipped."""
    if run.lost or run.workspace.graph.above(name) & run.failed:
        return
    try:
        statuses = [data_test(run, each) for each in tests]
    except DatabaseError as error:
        lose(run, error)
        return
    if set(statuses) & {"fail", "error"}:
        run.failed.add(name)


def _broken(run: Run, name: str) -> str | None:
    """Return why a model cannot be built: its own unit test, or something above it, failed."""
    if name in run.failed:
        return "its unit test failed"
    above = run.workspace.graph.above(name) & run.failed
    return f"{min(above, key=run.workspace.graph.order.index)} failed" if above else None


def _build(run: Run, node: Node, started: NodeStarted, tests: Sequence[DataTest]) -> None:
    """Build one model, test it, and publish it if all is well."""
    began, began_at = time.perf_counter(), now()
    try:
        rows, notes = _make_and_test(run, node, tests)
        if run.together:
            run.held.append(node)
        else:
            _publish(run, [node])
            for name in _names(node):
                run.workspace.hidden.pop(name, None)
    except SegSqlError as error:
        if isinstance(error, DatabaseError):
            _explain(run, node, error)
            run.lost = error.lost
        seconds = time.perf_counter() - began
        node_finished(run, started, "error", seconds=seconds, message=str(error), began_at=began_at)
        drop_hidden(run, _names(node))
        return
    node_finished(
        run,
        started,
        "success",
        seconds=time.perf_counter() - began,
        rows=rows,
        tests=len(tests),
        began_at=began_at,
        notes=notes,
    )


def _names(node: Node) -> list[str]:
    return [output.name for output in node.outputs.values()]


def _make_and_test(run: Run, node: Node, tests: Sequence[DataTest]) -> tuple[int | None, str]:
    """Make a model under hidden names and run its data tests; return its rows, and how it went.

    Raises:
        ModelError: A test failed.
    """
    sql, notes = _select(run, node), ""
    rows: int | None
    if node.algorithm is not None:
        fitted = (empty if run.workspace.limits.empty else fit)(run, node, sql)
        run.fitted[node.name] = fitted.parameters
        relation = run.workspace.relation(node.name)
        rows, notes = int(run.steps.row("row_count", relation=relation)["row_count"]), fitted.status
    elif node.kind == "history":
        rows = None
        _show_history(run, node)
    elif node.name in run.workspace.growing:
        rows = _grow(run, node, sql)
    elif (number := slices.needed(run.steps, node, {})) > 1:
        rows = fill(run, node, sql, number)
    else:
        hidden = run.steps.work_name()
        kind: RelationKind = "view" if node.kind == "view" else "table"
        rows = run.engine.create(hidden, kind, sql, work=False)
        run.workspace.hidden[node.name] = hidden
    _check_files(run, node)
    failed = 0
    for each in tests:
        if data_test(run, each) in ("fail", "error"):
            failed += 1
            if run.options.fail_fast:
                break
    if failed:
        what = "A data test" if failed == 1 else f"{failed} data tests"
        raise ModelError(f"{what} failed: what readers see stays as it was.")
    return rows, notes


def _check_files(run: Run, node: Node) -> None:
    """Stop where the reader of a CSV left out lines that the first look at it had not found.

    Raises:
        DatabaseError: A file is not UTF-8, or a quote in it is not closed.
    """
    read = run.workspace.reads({node.name}) & run.workspace.project.config.inputs.keys()
    if any(run.workspace.input(name).is_csv for name in read):
        run.engine.rejected_rows()


def _show_history(run: Run, node: Node) -> None:
    """Let models and tests read a history as it will be; where its rows wait, that is a view.

    It is published without a new row: what it says of itself, and who may read it, may be new.
    """
    workspace, existing = run.workspace, run.engine.existing()
    built = [
        source
        for source in segment_history.sources(node)
        if source in workspace.hidden or workspace.project.relation_name(source) in existing
    ]
    _make_history(run, node, built, existing)
    select = segment_history.empty(workspace, run.history_steps, node, built)
    run.new_rows[node.name] = run.steps.table(select, work=False)
    if run.together:
        hidden = run.steps.work_name()
        select = segment_history.as_published(workspace, run.history_steps, node)
        run.engine.create(hidden, "view", select)
        workspace.hidden[node.name] = hidden


def _grow(run: Run, node: Node, sql: str) -> int:
    """Make the new rows of an incremental model, and a view of the table as it will be."""
    new = run.steps.table(sql, work=False)
    run.new_rows[node.name] = new
    published, quote = run.workspace.published(node.name), run.engine.quote

    had = set(_columns(run, published))
    select = run.steps.sql(
        "with_increment",
        columns=[(quote(each), each in had) for each in _columns(run, run.steps.relation(new))],
        published=published,
        new_rows=run.steps.relation(new),
        key=[quote(column) for column in node.config.unique_key],
    )
    hidden = run.steps.work_name()
    run.engine.create(hidden, "view", select)
    run.workspace.hidden[node.name] = hidden
    return int(run.steps.row("row_count", relation=run.steps.relation(new))["row_count"])


def _columns(run: Run, relation: str) -> list[str]:
    every = run.steps.sql("all_rows", relation=relation)
    return [column.name for column in run.engine.describe(every)]


def data_test(run: Run, each: DataTest) -> Status:
    """Run a data test, keep its SQL in target/compiled, and return its status."""
    store = run.steps if run.options.store_failures else None
    finished, sql = run_data_test(each, run.workspace, store=store)
    compiled = ""
    if sql:
        shown = f"sql/tests/{each.name}.sql"
        compiled = str(run.target.keep_compiled(shown, run.workspace.by_hand(sql)))
    if finished.status == "fail" and store is None and run.command != "test":
        # By hand the SQL finds the rows of what is published, which has passed.
        finished = replace(finished, detail="with --store-failures its rows are kept in a table")
    if finished.status == "warn" and run.options.warn_error:
        finished = replace(finished, status="fail")
    run.log(replace(finished, compiled=compiled))
    return finished.status


def _select(run: Run, node: Node) -> str:
    """Return the SELECT of a model or seed, and keep it in target/compiled."""
    if node.kind == "seed":
        from seg_sql.seeds import seed_select

        return seed_select(node.model, run.steps)
    sql = run.workspace.compile(node.name)
    run.target.keep_compiled(node.model.shown, run.workspace.by_hand(sql))
    return sql


def _publish(run: Run, nodes: Sequence[Node]) -> None:
    """Publish models in one transaction, in which the histories that keep their rows get them."""
    workspace, steps, first = run.workspace, run.history_steps, []
    named = workspace.project.relation_name
    kept = [node for node in nodes if segment_history.histories(workspace, node.name)]
    merges = any(node.name == "customer_merges" for node in nodes)
    if kept or merges:
        existing = run.engine.existing()
        for history in segment_history.histories(workspace):
            sources = segment_history.sources(history)
            if keeps := sorted({node.name for node in kept} & set(sources)):
                _make_history(run, history, keeps, existing)
            elif named(history.name) in existing:
                # Merged customers' rows are about to be added.
                _make_history(run, history, [s for s in sources if named(s) in existing], existing)
        if merges:
            first += segment_history.merged(workspace, steps, existing, run.log)
    for node in kept:
        first += segment_history.written(workspace, steps, node.name)
    waiting = [each for node in nodes for each in publications(run, node)]
    # Views of what is hidden would be in the way. A published view is made anew under its name; of
    # hidden views that read each other the last one goes first.
    kinds = ("history", "view") if run.together else ("history",)
    views = [each.name for each in nodes if each.kind in kinds or each.name in run.new_rows]
    drop_hidden(run, reversed(views))
    try:
        run.engine.publish(waiting, first=first)
    except DatabaseError as error:
        if error.lost or error.sql not in first:
            raise
        raise ModelError(
            f"Its rows cannot be added to the history: {sentence(error.message)}",
            hint="A source has the columns that sql/models/history/customer_segment_history.sql"
            " selects, and ids of the same type as before. Change that model in your project, or"
            " switch it off: models: {customer_segment_history: {enabled: false}}",
        ) from error
    for node in nodes:
        run.new_rows.pop(node.name, None)


def _make_history(run: Run, node: Node, built: Sequence[str], existing: Container[str]) -> None:
    """Publish a history without a row; the sources that are built tell the types of its columns.

    One that is there has its rows already, and gets the columns that it was not made with.
    """
    if node.name in run.histories:
        return
    run.histories.add(node.name)
    if run.workspace.project.relation_name(node.name) in existing:
        had = {column.lower() for column in _columns(run, run.workspace.published(node.name))}
        if not built or all(name.lower() in had for name in segment_history.columns(node)):
            return
    select = segment_history.empty(run.workspace, run.history_steps, node, built)
    hidden = run.steps.table(select, work=False)
    run.engine.publish([_publication(run, node, node.model, hidden)])


def publications(run: Run, node: Node) -> list[Publication]:
    """Return what the engine needs to know to publish a model, or all outputs of an algorithm."""
    hidden = {**run.workspace.hidden, **run.new_rows}
    return [
        _publication(run, node, output, hidden[output.name]) for output in node.outputs.values()
    ]


def _publication(run: Run, node: Node, output: Model, hidden: str) -> Publication:
    workspace, entry = run.workspace, output.entry
    grants = {key: list(roles) for key, roles in workspace.project.config.grants.items()}
    for key, roles in node.config.grants.items():
        grants[key] = [*grants.get(key, []), *roles]
    view = node.kind == "view"
    grows = node.kind == "history" or node.name in workspace.growing
    return Publication(
        name=workspace.project.relation_name(output.name),
        kind="view" if view else "table",
        hidden=hidden,
        # A published view must not read hidden names.
        select=workspace.by_hand(workspace.compile(node.name)) if view else "",
        comment=described(workspace.project.name, output.name, entry.description),
        column_comments={c.name: c.description.strip() for c in entry.columns if c.description},
        indexes=node.config.indexes if output.name == node.name else (),
        grants=grants,
        key=node.config.unique_key if grows else (),
    )


def publish_together(run: Run) -> None:
    """Publish all that was held back, or nothing."""
    held, run.held = run.held, []
    how = f"(publish: {run.workspace.project.config.publish})"
    if run.failed:
        _hold_for_good(run, f"nothing is published, because a model failed {how}")
        return
    try:
        _publish(run, held)
        run.workspace.hidden.clear()
    except SegSqlError as error:
        run.lost = run.lost or (isinstance(error, DatabaseError) and error.lost)
        run.log(Said(error.message, level="error", hint=error.hint))
        _hold_for_good(run, f"nothing is published {how}")


def _hold_for_good(run: Run, why: str) -> None:
    """Say that nothing is published, and count each model that was built as skipped."""
    run.log(Said(f"{why[0].upper()}{why[1:]}."))
    for event in run.log.of(NodeFinished):
        if event.status == "success":
            run.failed.add(event.name)
            # Kept for the artifacts and for `retry`; the sentence says it once for all.
            run.log.events.append(replace(event, status="skipped", rows=None, message=why))


def _built_before(run: Run, node: Node, message: str) -> list[str]:
    """Say which table that is read lacks a column, because an earlier version built it."""
    workspace, existing = run.workspace, run.engine.existing()
    outputs = [each for ref in node.refs for each in workspace.nodes[ref].outputs.values()]
    for output in outputs:
        relation = workspace.project.relation_name(output.name)
        if output.name in workspace.hidden or relation not in existing:
            continue
        had = _columns(run, workspace.published(output.name))
        for column in output.entry.columns:
            if column.name not in had and re.search(rf"\b{re.escape(column.name)}\b", message):
                return [
                    f"{output.name} was built before it had {column.name}:"
                    f" run `seg-sql build -s +{node.name}`."
                ]
    return []


def _explain(run: Run, node: Node, error: DatabaseError) -> None:
    """Add the template's line, the compiled file and three lines of SQL to a database's words."""
    if error.sql is None:
        return
    run.workspace.unhide(error)
    place = sql_error_place(node.model, error.sql, error.position)
    error.where = error.where or place or node.model.shown
    said = [error.hint] if error.hint else []
    if not error.lost:
        # Where the tables cannot be looked into, the first error says enough.
        with suppress(DatabaseError):
            said += _built_before(run, node, error.message)
    compiled = run.target.compiled_path(node.model.shown)
    if compiled.is_file():
        said.append(f"compiled: {compiled}")
    error.hint = "\n  ".join([*said, *lines_around(error, error.sql)])
