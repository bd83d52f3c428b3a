"""The columns of a query on PostgreSQL, known without running it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seg_sql.engines import Column, ColumnKind

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn, PGresult

    from seg_sql.engines.postgres import PostgresEngine

_TYPES = """
select
    format_type(given.oid, nullif(given.typmod, -1)),
    coalesce(base.typname, t.typname),
    t.typcategory::text
from unnest(%(oids)s::oid[], %(typmods)s::int[]) with ordinality as given (oid, typmod, place)
join pg_type as t on t.oid = given.oid
left join pg_type as base on base.oid = t.typbasetype
order by given.place
"""


def columns_of(engine: PostgresEngine, query: str) -> list[Column]:
    """Return the columns that a SELECT yields."""
    result = engine.parse(query)
    places = range(result.nfields)
    types = engine.send(
        _TYPES,
        {
            "oids": [result.ftype(place) for place in places],
            "typmods": [result.fmod(place) for place in places],
        },
    ).rows
    return [
        Column((result.fname(place) or b"").decode(), type_, _kind(base, category))
        for place, (type_, base, category) in zip(places, types, strict=True)
    ]


def parsed(session: PGconn, query: str) -> PGresult:
    """Let the server parse a query, and return what it says of its columns.

    `LIMIT 0` would not do: planning already computes constant expressions, and fails on them.
    """
    from psycopg.errors import error_from_result
    from psycopg.pq import ExecStatus

    result = session.prepare(b"", query.encode())
    if result.status == ExecStatus.COMMAND_OK:
        result = session.describe_prepared(b"")
    if result.status != ExecStatus.COMMAND_OK:
        raise error_from_result(result)
    return result


def _kind(base: str, category: str) -> ColumnKind:
    """Return the kind of a type from its (base) name and PostgreSQL's type category.

    >>> _kind("numeric", "N"), _kind("timestamptz", "D"), _kind("regclass", "N")
    ('number', 'timestamp', 'other')
    """
    named: dict[str, ColumnKind] = {
        "date": "date",
        "timestamp": "timestamp",
        "timestamptz": "timestamp",
        "bool": "boolean",
    }
    if base in named:
        return named[base]
    if category == "N" and base != "oid" and not base.startswith("reg"):
        return "number"
    return "text" if category == "S" else "other"
