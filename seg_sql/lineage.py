"""Where each column of a model comes from: columns of other models, and of inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seg_sql.raw_relations import render_step
from seg_sql.workspace import Workspace, inlined

# Stand for schemas in the SQL that is looked at: no CTE can hide a model of the same name.
MODEL = "model"
INPUT = "input"

Columns = Mapping[str, tuple[str, ...]]
"""The columns that each column is made of, as `orders.amount` or `input order_lines.Quantity`."""


def lineage(workspace: Workspace, names: list[str]) -> dict[str, Columns]:
    """Return, by model, what each of its columns is made of.

    Args:
        workspace: The project, with a connection: it knows the columns of the inputs.
        names: The models, in the order of the graph.
    """
    schema: dict[str, dict[str, dict[str, str]]] = {INPUT: _raw_columns(workspace), MODEL: {}}
    found: dict[str, Columns] = {}
    for name in names:
        node = workspace.nodes[name]
        if node.kind == "seed":
            found[name] = {}
        else:
            sql = workspace.compile(name, ref=_model, input=lambda each: _input(workspace, each))
            known_tables = {place: tables for place, tables in schema.items() if tables}
            found[name] = _columns(sql, workspace.dialect, known_tables)
        for output in node.outputs.values():
            known = [column.name for column in output.entry.columns]
            selected = [] if node.algorithm is not None else list(found[name])
            if selected or known:
                schema[MODEL][output.name] = dict.fromkeys(selected or known, "text")
    return found


def _raw_columns(workspace: Workspace) -> dict[str, dict[str, str]]:
    """Return the raw columns of each input."""
    engine = workspace.engine
    found = {}
    for name in workspace.project.config.inputs:
        raw = render_step("raw", workspace.renderer, source=workspace.input(name).source)
        found[name] = {column.name: "text" for column in engine.describe(raw)}
    return found


def _model(name: str) -> str:
    return f'"{MODEL}"."{name}"'


def _input(workspace: Workspace, name: str) -> str:
    return inlined(workspace.input(name).over(f'"{INPUT}"."{name}"'))


def _columns(sql: str, dialect: str, schema: dict[str, Any]) -> Columns:
    """Return the columns of a SELECT with what each is made of; nothing for SQL that is too odd."""
    import sqlglot
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    try:
        select: Any = qualify(
            sqlglot.parse_one(sql, read=dialect),
            dialect=dialect,
            schema=schema,
            validate_qualify_columns=False,
            quote_identifiers=False,
        )
        scope = build_scope(select)
        if scope is None:
            return {}
        return {
            name: _leaves(name, select, scope, dialect, schema) for name in select.named_selects
        }
    except (SqlglotError, RecursionError):
        return {}


def _leaves(
    name: str, select: Any, scope: Any, dialect: str, schema: dict[str, Any]
) -> tuple[str, ...]:
    from sqlglot import exp
    from sqlglot.errors import SqlglotError
    from sqlglot.lineage import lineage as lineage_of

    try:
        node = lineage_of(
            name, select, schema=schema, scope=scope, dialect=dialect, trim_selects=False
        )
    except (SqlglotError, ValueError):
        return ()
    found = set()
    for leaf in node.walk():
        table = leaf.expression
        if isinstance(table, exp.Table) and table.db in (MODEL, INPUT):
            column = leaf.name.rpartition(".")[2].strip('"')
            prefix = "input " if table.db == INPUT else ""
            found.add(f"{prefix}{table.name}.{column}")
    return tuple(sorted(found))
