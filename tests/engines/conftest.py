"""Build a result under a hidden name and publish it, as a run does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from seg_sql.engines import Engine, Publication, RelationKind

HIDDEN = "seg_tmp_0000abcd_"


@pytest.fixture
def build(engine: Engine) -> Callable[..., Publication]:
    """Create the hidden relation of a publication."""

    def create(
        name: str, select: str, *, kind: RelationKind = "table", number: int = 1, **options: Any
    ) -> Publication:
        hidden = f"{HIDDEN}{number}"
        engine.create(hidden, kind, select)
        written = select if kind == "view" else ""
        return Publication(name, kind, hidden, select=written, **options)

    return create


@pytest.fixture
def publish(engine: Engine, build: Callable[..., Publication]) -> Callable[..., None]:
    """Build and publish one relation."""

    def run(name: str, select: str, **options: Any) -> None:
        engine.publish([build(name, select, **options)])

    return run


@pytest.fixture
def rows(engine: Engine) -> Callable[..., list[tuple[Any, ...]]]:
    """Read all rows of a relation of the target schema, in order of its first column."""

    def read(name: str, columns: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        listed = ", ".join(map(engine.quote, columns)) or "*"
        return engine.fetch(f"select {listed} from {engine.relation(name)} order by 1").rows

    return read


@pytest.fixture
def connect(postgres_dsn: str) -> Iterator[Callable[..., Any]]:
    """Open further sessions of PostgreSQL, in autocommit mode unless told otherwise."""
    import psycopg

    opened = []

    def another(**options: Any) -> Any:
        connection = psycopg.connect(postgres_dsn, **{"autocommit": True, **options})
        opened.append(connection)
        return connection

    yield another
    for connection in opened:
        connection.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A DuckDB file that is not there yet."""
    return tmp_path / "test.duckdb"
