"""Indexes of a published table of PostgreSQL: ours, by configuration, and those of others."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from seg_sql.engines import LONGEST_NAME, Publication
from seg_sql.engines import _postgres_catalog as catalog
from seg_sql.engines._postgres_catalog import Index
from seg_sql.engines._postgres_errors import sqlstate
from seg_sql.engines.postgres import PostgresEngine
from seg_sql.errors import DatabaseError

UNDEFINED_COLUMN = "42703"


def index_name(table: str, columns: Sequence[str]) -> str:
    """Return the name of our index on some columns: the same in every build, and short enough.

    >>> index_name("rfm", ["segment"])
    'rfm_seg_4ee3d2fe'
    """
    return f"{_cut(table, LONGEST_NAME - 13)}_seg_{_digest(table, *columns)}"


def work_name(publication: Publication, index: Index) -> str:
    """Return the name of an index for as long as its table is hidden."""
    digest = _digest(publication.hidden, index.name)
    return f"{_cut(publication.hidden, LONGEST_NAME - 12)}_ix_{digest}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8]


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode(errors="ignore")


def wanted_indexes(
    engine: PostgresEngine, publication: Publication, former: Sequence[Index]
) -> list[Index]:
    """Return the configured indexes, and those of the former table that others have made."""
    ours = [
        Index(
            index_name(publication.name, columns),
            "CREATE INDEX",
            f"USING btree ({', '.join(map(engine.quote, columns))})",
        )
        for columns in publication.indexes
    ]
    return [*ours, *(index for index in former if not index.ours)]


def make_index(engine: PostgresEngine, table: str, index: Index, name: str) -> bool:
    """Make an index; say no if it is another's and on a column that the table no longer has."""
    try:
        engine.send(
            f"{index.start} if not exists {engine.quote(name)}"
            f" on {engine.relation(table)} {index.rest}"
        )
    except DatabaseError as error:
        if index.ours or sqlstate(error) != UNDEFINED_COLUMN:
            raise
        return False
    return True


def finish_indexes(
    engine: PostgresEngine, publication: Publication, former: Sequence[Index]
) -> None:
    """Give a published table the indexes it is to have, and drop ours that it is no more to have.

    Args:
        engine: The engine.
        publication: What has just been published.
        former: Indexes of the former table, if that is gone.
    """
    oid = catalog.known_relation(engine, publication.name).oid
    present = {index.name: index for index in catalog.indexes(engine, oid)}
    wanted = wanted_indexes(engine, publication, former)
    for index in wanted:
        work = work_name(publication, index)
        if work in present:
            engine.send(f"alter index {engine.relation(work)} rename to {engine.quote(index.name)}")
        elif index.name not in present:
            engine.send("savepoint indexing")
            if not make_index(engine, publication.name, index, index.name):
                engine.send("rollback to savepoint indexing")
    names = {index.name for index in wanted}
    for index in present.values():
        if index.ours and index.name not in names:
            engine.send(f"drop index {engine.relation(index.name)}")
