"""Fit an algorithm model: its SELECT as a work table, the driver, and a hidden table an output."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from seg_sql import __version__, slices
from seg_sql.algorithm import Fit, Task
from seg_sql.engines import WORK_PREFIX, Existing, RelationKind
from seg_sql.errors import DatabaseError, ModelError, SegSqlError
from seg_sql.events import Said
from seg_sql.given_rows import sql_type
from seg_sql.journal import Journal, read
from seg_sql.nodes import Node
from seg_sql.ownership import leftovers
from seg_sql.run import Run
from seg_sql.step import Steps
from seg_sql.workspace import Workspace

# The folder of target/ that journals of fits under way lie in.
STATE = "state"


def fit(run: Run, node: Node, select: str) -> Fit:
    """Run the driver of an algorithm model over its SELECT; its outputs become hidden relations.

    Raises:
        ModelError: The rows or the options allow no fit.
    """
    workspace, algorithm = run.workspace, node.algorithm
    assert algorithm is not None
    if algorithm.keyed and not node.config.unique_key:
        raise ModelError(
            f"{node.name} does not say which column identifies a row.",
            where=node.model.shown,
            hint="Add unique_key='customer_id', or what it is, to its config().",
        )
    existing = run.engine.existing()
    with _steps(run, node, select, f"algorithms/{algorithm.name}", "fit") as steps:
        if algorithm.keyed:
            # Rows of a table that the SELECT merely names are read where they are.
            in_place = _may_stay(run, node) or _is_projection(run, select)
            kind: RelationKind = "view" if in_place else "table"
            rows = steps.relation(steps.table(select, kind=kind))
        else:
            rows = f"(\n{select}\n)"
        found = algorithm.fit(steps, rows, task(workspace, node, existing))
        for part, table in found.outputs.items():
            workspace.hidden[node.outputs[part].name] = table
            steps.made.remove(table)
        for sentence in found.warnings:
            steps.warn(sentence)
    return found


def fill(run: Run, node: Node, select: str, number: int) -> int:
    """Fill the hidden table of a large model in so many slices; return its number of rows."""
    with _steps(run, node, select, "runner", "table") as steps:
        hidden, rows = slices.fill(steps, node, number, {})
        run.workspace.hidden[node.name] = hidden
        steps.made.remove(hidden)
    return rows


@contextmanager
def _steps(run: Run, node: Node, select: str, folder: str, what: str) -> Iterator[Steps]:
    """Give the statements of a long piece of work, which `retry` goes on with if it is interrupted.

    What is in `made` at the end is dropped.
    """
    journal = _journal(run, node, select)
    steps = Steps(
        run.workspace,
        folder,
        run=journal.work,
        model=node.name,
        log=run.log,
        journal=journal,
    )
    if journal.replaying:
        after = f"after iteration {journal.iteration}"
        run.log(Said(f"{node.name}: goes on with the interrupted {what} {after}"))
    interrupted = True
    try:
        yield steps
        interrupted = False
    except SegSqlError as error:
        # What went wrong would go wrong again, unless the connection was lost.
        interrupted = isinstance(error, DatabaseError) and error.lost
        raise
    finally:
        # Interrupted, it leaves its work tables and answers to `retry`.
        if not interrupted:
            steps.drop(*reversed(steps.made))
            journal.end()


def interrupted_fits(folder: Path) -> list[str]:
    """Return the models whose last fit was interrupted, by the folder of the artifacts."""
    return sorted(path.stem for path in (folder / STATE).glob("*.jsonl"))


def _journal(run: Run, node: Node, select: str) -> Journal:
    """Return the journal of the fit that was interrupted, if it was the same; else a new one."""
    path = run.target.folder / STATE / f"{node.name}.jsonl"
    asked: dict[str, Any] = {
        "version": __version__,
        "target": [run.workspace.target_name, run.engine.dialect, run.engine.schema],
        "select": run.workspace.by_hand(select),
        "options": None if node.options is None else node.options.model_dump(mode="json"),
        "key": list(node.config.unique_key),
        "as_of": str(run.workspace.renderer.variable("as_of")),
        "input": run.as_of.fingerprint if run.as_of else _row_count(run, select),
        "keeps_fit": node.name in run.workspace.kept_fits,
    }
    if run.options.resume:
        journal = read(path)
        if journal is not None and journal.asked == asked and _is_whole(run, journal):
            return journal
        if journal is not None:
            prefix = f"{WORK_PREFIX}{journal.work}_"
            for name in leftovers(each for each in run.engine.existing() if prefix in each):
                run.engine.drop(name)
    journal = Journal(path, secrets.token_hex(4), asked)
    journal.begin()
    return journal


def _row_count(run: Run, select: str) -> int:
    return int(run.steps.row("row_count", relation=f"(\n{select}\n)")["row_count"])


def _is_whole(run: Run, journal: Journal) -> bool:
    """Return whether the work relations of an interrupted fit are there as it left them.

    After a crash of the server an unlogged table is empty.
    """
    existing = run.engine.existing()
    return all(
        name in existing
        and (
            rows is None
            or rows == run.steps.row("row_count", relation=run.engine.relation(name))["row_count"]
        )
        for name, rows in journal.tables.items()
    )


def _may_stay(run: Run, node: Node) -> bool:
    """Return whether a model says that its rows are read in place, and has them from tables.

    A project may make views of these, which would be computed again in every statement.
    """
    kinds = {run.workspace.nodes[ref].kind for ref in node.refs}
    return node.in_place and kinds.isdisjoint(("view", "ephemeral"))


def _is_projection(run: Run, select: str) -> bool:
    """Return whether a SELECT yields every row of one table, and columns as they are."""
    dialect = run.engine.dialect
    find = partial(_source, select, dialect)
    # The name of a table of this run alone says nothing in the next one.
    of_run = WORK_PREFIX in select
    named = find() if of_run else run.texts.answer(f"its one source, {dialect}", select, find)
    return named is not None and run.engine.existing_kind(named[1], named[0]) == "table"


def _source(select: str, dialect: str) -> list[str] | None:
    """Return schema and name of the relation whose columns a SELECT names, if it does no more."""
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError

    try:
        tree = parse_one(select, dialect=dialect)
    except SqlglotError:
        return None
    names = {cte.alias for cte in tree.find_all(exp.CTE)}
    tables = [each for each in tree.find_all(exp.Table) if each.name not in names or each.db]
    plain = (
        *(exp.Select, exp.Subquery, exp.Table, exp.TableAlias, exp.From, exp.With, exp.CTE),
        *(exp.Column, exp.Alias, exp.Star, exp.Identifier),
    )
    if len(tables) != 1 or not all(isinstance(node, plain) for node in tree.walk()):
        return None
    [table] = tables
    if any(select.args.get("from_") is None for select in tree.find_all(exp.Select)):
        return None
    if table.catalog or not table.db:
        return None
    return [table.db, table.name]


def empty(run: Run, node: Node, select: str) -> Fit:
    """Make the outputs of an algorithm model without a row, for `--empty`: there is nothing to fit.

    The SELECT is checked, and gives the key's types; the other types are those of schema.yml.
    """
    known = {column.name: column.type for column in run.engine.describe(select)}
    renderer = run.workspace.renderer
    outputs = {}
    for part, output in node.outputs.items():
        columns = [
            {
                "name": column.name,
                "type": known.get(column.name) or sql_type(column.data_type, "text", renderer),
            }
            for column in output.entry.columns
        ]
        outputs[part] = run.steps.table(run.steps.sql("rows", columns=columns, rows=[]), work=False)
        run.workspace.hidden[output.name] = outputs[part]
    return Fit(outputs, "not fitted")


def task(workspace: Workspace, node: Node, existing: dict[str, Existing]) -> Task:
    """Return what the driver is given: the key, the options, and where the last fit is."""
    day = workspace.renderer.variable("as_of")
    return Task(
        model=node.name,
        key=tuple(node.config.unique_key),
        options=node.options,
        as_of=None if day is None else str(day),
        previous={
            part: workspace.published(output.name)
            for part, output in node.outputs.items()
            if workspace.project.relation_name(output.name) in existing
        },
        keep_fit=node.name in workspace.kept_fits,
    )
