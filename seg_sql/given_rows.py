"""Given rows as a SELECT: of a seed, of a unit test, of a table that has none yet."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from seg_sql import resources
from seg_sql.render import Renderer


def sql_type(declared: str, kind: str, renderer: Renderer) -> str:
    """Return a SQL type from schema.yml's word, or else from the kind of the given values."""
    word = declared if declared and declared != "id" else ""
    if not word:
        word = {"number": "double"}.get(kind, kind)
        if declared == "id" and kind == "number":
            word = "bigint"
    if word in ("double", "text"):
        return renderer.render(f"{{{{ seg_sql.{word}() }}}}", "type").sql
    return word


def rows_sql(
    columns: Sequence[Mapping[str, str]], rows: Sequence[Mapping[str, Any]], renderer: Renderer
) -> str:
    """Return given rows as a SELECT; each column has a `name` and a SQL `type`."""
    values = [_one_kind([row.get(column["name"]) for row in rows]) for column in columns]
    path = resources.SQL / "runner" / "rows.sql"
    return renderer.render(
        path.read_text("utf-8"),
        "sql/runner/rows.sql",
        columns=columns,
        rows=list(zip(*values, strict=True)),
    ).sql


def _one_kind(values: Sequence[Any]) -> list[Any]:
    """Return the values of a column with dates as text, and all as text where some are."""
    plain = [str(value) if isinstance(value, datetime.date) else value for value in values]
    if not any(isinstance(value, str) for value in plain):
        return plain
    return [
        str(value).lower() if isinstance(value, bool) else None if value is None else str(value)
        for value in plain
    ]
