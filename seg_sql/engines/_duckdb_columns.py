"""The columns of a query on DuckDB, known without running it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from seg_sql.engines import Column, ColumnKind

if TYPE_CHECKING:
    from seg_sql.engines.duckdb import DuckDBEngine

_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\)|BIGNUM")

# How columns beside computed ones are packed; to search for the best way takes a fifth of the time
# of writing. Doubles come out of roots and logarithms, whose last digits have no pattern, and
# integers are the numbers of clusters.
PACKED = {"DOUBLE": " using compression uncompressed", "INTEGER": " using compression bitpacking"}


def columns_of(engine: DuckDBEngine, query: str) -> list[Column]:
    """Return the columns that a SELECT yields."""
    described = engine.send(f"describe\n{query}", inner=query)
    return [Column(row[0], row[1], _kind(row[1])) for row in described.rows]


def _kind(type_: str) -> ColumnKind:
    """Return the kind of a DuckDB type.

    >>> _kind("DECIMAL(18,2)"), _kind("TIMESTAMP WITH TIME ZONE"), _kind("VARCHAR[]")
    ('number', 'timestamp', 'other')
    """
    if type_.endswith("]"):
        return "other"
    if _NUMBER.fullmatch(type_):
        return "number"
    if type_.startswith("TIMESTAMP"):
        return "timestamp"
    known: dict[str, ColumnKind] = {"VARCHAR": "text", "DATE": "date", "BOOLEAN": "boolean"}
    return known.get(type_, "other")
