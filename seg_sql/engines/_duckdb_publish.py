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

_KINDS = """
select lower(table_name) as name, 'table' as kind
from duckdb_tables()
where database_name = current_database() and lower(schema_name) = lower($schema)
    and list_contains($names, lower(table_name))
union all
select lower(view_name), 'view' as kind
from duckdb_views()
where database_name = current_database() and lower(schema_name) = lower($schema)
    and list_contains($names, lower(view_name))
"""

_COLUMNS = """
select lower(table_name) as name, column_name, data_type, comment
from duckdb_columns()
where database_name = current_database() and lower(schema_name) = lower($schema)
    and list_contains($names, lower(table_name))
order by column_index
"""

_INDEXES = """
select lower(table_name) as name, sql
from duckdb_indexes()
where database_name = current_database() and lower(schema_name) = lower($schema)
    and list_contains($names, lower(table_name)) and sql is not null
order by index_name
"""

# What a query of the catalog says, by the lower-case name of the relation.
Found = dict[str, list[tuple[Any, ...]]]


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
        names = [publication.name.lower() for publication in publications]
        # The catalog is asked once for all: each question takes a thousandth of a second.
        kinds, columns = _looked_up(engine, _KINDS, names), _looked_up(engine, _COLUMNS, names)
        indexes = _looked_up(engine, _INDEXES, names) if kinds else {}
        for publication, name in zip(publications, names, strict=True):
            kind = kinds[name][0][0] if name in kinds else None
            _publish(engine, publication, kind, [sql for (sql,) in indexes.get(name, [])])
        now = _looked_up(engine, _COLUMNS, names)
        for publication, name in zip(publications, names, strict=True):
            former = {column.lower(): said for column, _, said in columns.get(name, []) if said}
            _comment(engine, publication, now.get(name, []), former)


def _publish(
    engine: DuckDBEngine, publication: Publication, kind: str | None, indexes: Sequence[str]
) -> None:
    """Put a relation in the place of what has its name, of a kind and with indexes, if any."""
    name, relation = publication.name, engine.relation(publication.name)
    if publication.key and publication.kind == kind == "table":
        _merge(engine, publication)
        return
    if kind is not None and (kind, publication.kind) != ("view", "view"):
        engine.send(f"drop {kind} {relation}")
    if publication.kind == "view":
        select = publication.select
        engine.send(f"create or replace view {relation} as\n{select}", inner=select)
        return
    hidden = engine.relation(publication.hidden)
    engine.send(f"alter table {hidden} rename to {engine.quote(name)}")
    for index in indexes:
        engine.send(index)


def _merge(engine: DuckDBEngine, publication: Publication) -> None:
    """Replace the rows of a table whose key is in the hidden one, and add the others."""
    name, hidden = engine.relation(publication.name), engine.relation(publication.hidden)
    names = [publication.name.lower(), publication.hidden.lower()]
    columns = _looked_up(engine, _COLUMNS, names)
    had = {column.lower(): type_ for column, type_, _ in columns[names[0]]}
    has = {column: type_ for column, type_, _ in columns[names[1]]}
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


def _comment(
    engine: DuckDBEngine,
    publication: Publication,
    columns: Sequence[tuple[Any, ...]],
    former: Mapping[str, str],
) -> None:
    """Describe the relation and its columns; one that we say nothing about keeps what it had."""
    relation = engine.relation(publication.name)
    statements = []
    if publication.comment:
        text = engine.literal(publication.comment)
        statements.append(f"comment on {publication.kind} {relation} is {text}")
    ours = {column.lower(): text for column, text in publication.column_comments.items()}
    for column, _, current in columns:
        said = ours.get(column.lower()) or former.get(column.lower())
        if said and said != current:
            statements.append(
                f"comment on column {relation}.{engine.quote(column)} is {engine.literal(said)}"
            )
    if statements:
        engine.send(";\n".join(statements))


def _looked_up(engine: DuckDBEngine, query: str, names: Sequence[str]) -> Found:
    """Return what the catalog has of some relations, by their names in lower case."""
    found: Found = {}
    for name, *rest in engine.send(query, {"schema": engine.schema, "names": names}).rows:
        found.setdefault(name, []).append(tuple(rest))
    return found
