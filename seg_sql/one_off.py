"""A call on a connection or a table: a project of a few lines, made for this one build."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from seg_sql import commands, runner
from seg_sql.artifacts import Target, checksums
from seg_sql.engines import engine_on, holding
from seg_sql.errors import ConfigError, SegSqlError
from seg_sql.events import Log
from seg_sql.outcome import failure, warnings_of
from seg_sql.project import load_project
from seg_sql.run import Options, start
from seg_sql.tables import Result, is_select, table_of
from seg_sql.workspace import Workspace

GIVEN_TABLE = "seg_sql_rows"
"""The name under which a query reads a table that was given instead of a connection."""


def one_off(
    source: Any,
    query: str | None,
    *,
    schema: str,
    project: Mapping[str, Any],
    input_name: str,
    select: Sequence[str],
    model: str,
    columns: Mapping[str, str] | None = None,
    models: Mapping[str, str] | None = None,
    tables: Mapping[str, str] | None = None,
) -> Result:
    """Build a project of a few lines on a connection; return its tables.

    Args:
        source: The connection, or the table to read.
        query: The relation or the SELECT to read.
        schema: Where the tables land.
        project: What seg_sql.yml has beside the name and the input.
        input_name: The input that is read.
        select: What is built.
        model: The model that the result is of.
        columns: Our column names to the query's.
        models: The project's own models, by name.
        tables: The tables of the result by their short names; by default the model's outputs.
    """
    connection, query = _connection(source, query)
    read = {"query": query} if is_select(query) else {"relation": query}
    given = {**read, **({"columns": dict(columns)} if columns else {})}
    content = {"name": "notebook", "inputs": {input_name: given}, **project}
    log = Log()
    with tempfile.TemporaryDirectory(prefix="seg_sql_") as made, _nowhere(made):
        folder = Path(made)
        (folder / "seg_sql.yml").write_text(yaml.safe_dump(content), "utf-8")
        for name, template in (models or {}).items():
            path = folder / "sql" / "models" / f"{name}.sql"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(template, "utf-8")
        workspace = Workspace(load_project(folder), None, schema=schema, target_name="notebook")
        with _on(workspace, connection) as opened:
            target = Target(folder / "target")
            names = commands.chosen_nodes(opened, target.folder, select, (), None)
            started = start(opened, "build", Options(), log, target)
            # The packaged unit tests say nothing about these rows.
            sums = checksums(opened)
            started.unit_tested = {name: {opened.dialect: sums[name]} for name in sums}
            finished = runner.build(started, names)
            if finished.failed or finished.skipped:
                raise failure(log)
            as_of = {key: opened.renderer.variable(key) for key in ("as_of", "as_of_reason")}
            node = opened.nodes[model]
            parts = tables or {
                part or "assignments": output.name for part, output in node.outputs.items()
            }

        @contextmanager
        def again() -> Iterator[Workspace]:
            with _on(workspace, connection) as opened:
                opened.renderer.set_variables(as_of)
                yield opened

        with again() as opened:
            found = {short: table_of(opened, name, again) for short, name in parts.items()}
    return Result(found, warnings_of(log), model, again)


@contextmanager
def _nowhere(folder: str) -> Iterator[None]:
    """Let errors not name files of a folder that nobody will find."""
    try:
        yield
    except SegSqlError as error:
        if error.where is not None and folder in error.where:
            error.where = None
        raise


def _connection(source: Any, query: str | None) -> tuple[Any, str]:
    """Return a connection, and the relation or SELECT to read."""
    if hasattr(source, "execute") and hasattr(source, "cursor"):
        if query is None:
            raise ConfigError(
                "It is not said what to read.",
                hint="Give a relation or a SELECT as the second argument.",
            )
        return source, query
    return holding(GIVEN_TABLE, source), query or GIVEN_TABLE


@contextmanager
def _on(workspace: Workspace, connection: Any) -> Iterator[Workspace]:
    """Let a workspace work on a connection for a while."""
    timezone = workspace.project.vars.timezone
    engine = engine_on(connection, schema=workspace.schema, timezone=timezone)
    try:
        # Inputs are described once; a fresh workspace looks again.
        yield replace(workspace, connection=engine, dialect=engine.dialect, hidden={}, _inputs={})
    finally:
        engine.close()
