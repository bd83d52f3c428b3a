"""How a finished table or view of DuckDB takes the place of the one that readers know.

The old table is dropped and the new one renamed, before any index is made: DuckDB renames no
table that has one. Its views find a table by name, so they are in nobody's way. After any error
everything is rolled back: a COMMIT would lose a table whose successor could not be renamed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seg_sql.engines import Publication
from seg_sql.engines.duckdb import DuckDBEngine
from seg_sql.errors import DatabaseError

_COLUMNS = """
select column_name, data_type, comment
from duckdb_columns()
where database_name = current_database() and lower(schema_name) = lower($schema)
    and lower(table_name) = lower($name)
order by column_index
"""

_INDEXES = """
select sql
from duckdb_indexes()
where database_name = current_database() and lower(schema_name) = lower($schema)
    and lower(table_name) = lower($name) and sql is not null
order by index_name
"""


def publish(
    engine: DuckDBEngine, publications: Sequence[Publication], first: Sequence[str] = ()
) -> None:
    """Run the statements of `first` and publish all of `publications`, in one transaction.

    Indexes of ours are not made, since DuckDB's zone maps do their work; those that somebody
    else has made are made again.
    """
    if not publications and not first:
        return
    if first or any(publication.key for publication in publications):
        engine.deletes = True
    with engine.transaction():
        for statement in first:
            engine.send(statement)
        for publication in publications:
            if publication.kind == "view":
                engine.drop(publication.hidden)
        for publication in publications:
            _publish(engine, publication)


def _publish(engine: DuckDBEngine, publication: Publication) -> None:
    name, relation = publication.name, engine.relation(publication.name)
    kind = engine.existing_kind(name)
    comments = {column.lower(): said for column, _, said in _columns(engine, name) if said}
    if publication.kind == "view":
        if kind == "table":
            engine.drop(name)
        select = publication.select
        engine.send(f"create or replace view {relation} as\n{select}", inner=select)
    elif publication.key and kind == "table":
        _merge(engine, publication)
    else:
        indexes = _looked_up(engine, _INDEXES, name)
        engine.drop(name)
        hidden = engine.relation(publication.hidden)
        engine.send(f"alter table {hidden} rename to {engine.quote(name)}")
        for (index,) in indexes:
            engine.send(index)
    _comment(engine, publication, comments)


def _merge(engine: DuckDBEngine, publication: Publication) -> None:
    """Replace the rows of a table whose key is in the hidden one, and add the others."""
    name, hidden = engine.relation(publication.name), engine.relation(publication.hidden)
    had = {column.lower(): type_ for column, type_, _ in _columns(engine, publication.name)}
    has = {column: type_ for column, type_, _ in _columns(engine, publication.hidden)}
    known = {column.lower() for column in has}
    faults = [f"the column {column} is gone" for column in had if column not in known]
    faults += [
        f"the column {column} changes from {had[column.lower()]} to {type_}"
        for column, type_ in has.items()
        if had.get(column.lower(), type_) != type_
    ]
    if faults:
        raise DatabaseError(
            f"{name} cannot take the new rows: {', '.join(faults)}.",
            hint="Build it anew with --full-refresh.",
        )
    for column, type_ in has.items():
        if column.lower() not in had:
            engine.send(f"alter table {name} add column {engine.quote(column)} {type_}")
    listed = ", ".join(map(engine.quote, has))
    same = " and ".join(
        f"hidden.{column} = kept.{column}" for column in map(engine.quote, publication.key)
    )
    engine.send(
        f"delete from {name} as kept where exists (select 1 from {hidden} as hidden where {same})"
    )
    engine.send(f"insert into {name} ({listed}) select {listed} from {hidden}")
    engine.send(f"drop table {hidden}")


def _comment(engine: DuckDBEngine, publication: Publication, former: Mapping[str, str]) -> None:
    """Describe the relation and its columns; one that we say nothing about keeps what it had."""
    relation = engine.relation(publication.name)
    statements = []
    if publication.comment:
        text = engine.literal(publication.comment)
        statements.append(f"comment on {publication.kind} {relation} is {text}")
    ours = {column.lower(): text for column, text in publication.column_comments.items()}
    for column, _, current in _columns(engine, publication.name):
        said = ours.get(column.lower()) or former.get(column.lower())
        if said and said != current:
            statements.append(
                f"comment on column {relation}.{engine.quote(column)} is {engine.literal(said)}"
            )
    if statements:
        engine.send(";\n".join(statements))


def _columns(engine: DuckDBEngine, name: str) -> list[tuple[Any, ...]]:
    """Return name, type and comment of each column; of none where there is no relation."""
    return _looked_up(engine, _COLUMNS, name)


def _looked_up(engine: DuckDBEngine, query: str, name: str) -> list[tuple[Any, ...]]:
    return engine.send(query, {"schema": engine.schema, "name": name}).rows
