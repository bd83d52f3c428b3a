"""Rows of PostgreSQL as Parquet or CSV: COPY gives text, and DuckDB writes the typed file."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from seg_sql.engines import Column, _shared
from seg_sql.engines._duckdb_errors import database_error

if TYPE_CHECKING:
    from seg_sql.engines import FileFormat
    from seg_sql.engines.postgres import PostgresEngine

_TYPES = {
    "smallint": "smallint",
    "integer": "integer",
    "bigint": "bigint",
    "real": "float",
    "double precision": "double",
    "numeric": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "uuid": "uuid",
}
_DECIMAL = re.compile(r"numeric\((\d+),(\d+)\)")

# Written so by COPY, and never within quotes: an empty text stays an empty text.
_NULL = r"\N"


def export(engine: PostgresEngine, query: str, file: Path, file_format: FileFormat) -> int:
    """Write the rows of a query to a file, with the types that they have; return their number."""
    columns = engine.describe(query)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".seg_sql_") as folder:
        text = Path(folder) / "rows.csv"
        engine.copy_out(query, text, null=_NULL)
        return _written(text, columns, file, file_format)


def _written(text: Path, columns: Sequence[Column], file: Path, file_format: FileFormat) -> int:
    types = ", ".join(
        f"{_shared.literal(column.name)}: {_shared.literal(_type(column.type))}"
        for column in columns
    )
    statement = (
        f"copy (from read_csv({_shared.literal(str(text))}, auto_detect = false, header = true,"
        f" delim = ',', quote = '\"', escape = '\"', nullstr = {_shared.literal(_NULL)},"
        f" allow_quoted_nulls = false, columns = {{{types}}}))"
        f" to {_shared.literal(str(file))} (format {file_format})"
    )
    with duckdb.connect(":memory:") as connection:
        try:
            row = connection.execute(statement).fetchone()
        except duckdb.Error as error:
            raise database_error(error, statement, None) from error
    return int(row[0]) if row else 0


def _type(name: str) -> str:
    """Return DuckDB's type for one of PostgreSQL; what it has no like of becomes text.

    >>> _type("double precision"), _type("numeric(18,2)"), _type("numeric"), _type("inet")
    ('double', 'decimal(18,2)', 'double', 'varchar')
    """
    decimal = _DECIMAL.fullmatch(name)
    if decimal is not None and int(decimal[2]) <= int(decimal[1]) <= 38:
        return f"decimal({decimal[1]},{decimal[2]})"
    return _TYPES.get(name, "varchar")
