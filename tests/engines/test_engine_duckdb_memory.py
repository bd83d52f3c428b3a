"""What DuckDB keeps of a small table that is read by the way."""

from __future__ import annotations

import contextlib
from functools import partial

import duckdb
import pytest

from seg_sql.engines import _duckdb_session, open_engine
from seg_sql.profiles import DuckDBTarget

pytestmark = pytest.mark.skipif(
    duckdb.__version__.startswith("1."), reason="DuckDB 1 does not take a limit back"
)

ROWS, COLUMNS = 1_000_000, 3
SUM = "select sum(a) + sum(b) + sum(c) from {}"


@pytest.fixture
def engine(tmp_path):
    """A file with a table of 24 MB, as good as all of it digits that cannot be compressed."""
    path = str(tmp_path / "test.duckdb")
    columns = [f"hash(range * 3 + {place}) / 1e19 as {name}" for place, name in enumerate("abc")]
    with contextlib.closing(open_engine(DuckDBTarget(path=path))) as engine:
        engine.prepare_schema()
        engine.create("t", "table", f"select {', '.join(columns)} from range({ROWS})")
    with contextlib.closing(open_engine(DuckDBTarget(path=path, threads=2))) as engine:
        yield engine


def kept(engine):
    tags = dict(engine.fetch("select tag, memory_usage_bytes from duckdb_memory()").rows)
    return tags["BASE_TABLE"]


def limits(engine):
    names = "('memory_limit', 'preserve_insertion_order')"
    return engine.fetch(f"select name, value from duckdb_settings() where name in {names}").rows


def test_few_blocks_of_a_small_table_are_kept(engine, monkeypatch):
    monkeypatch.setattr(_duckdb_session, "_WORKING", 4_000_000)
    before, ask = limits(engine), partial(engine.fetch, SUM.format(engine.relation("t")))
    found = engine.sparingly(ask, rows=ROWS, columns=COLUMNS)
    # Room is left for 4 MB and for two blocks of 256 kB a column and thread.
    assert kept(engine) <= 4_000_000 + 2 * 2 * COLUMNS * 262_144
    assert limits(engine) == before
    assert float(found.rows[0][0]) == pytest.approx(float(ask().rows[0][0]), rel=1e-12)
    assert kept(engine) > 20_000_000


def test_blocks_are_let_go_of_where_something_was_made(engine):
    select = f"select a, b, c from {engine.relation('t')} where a < 0.1"
    make = partial(engine.create, "seg_tmp_1", "table", select, work=True)
    made = engine.sparingly(make, rows=ROWS, columns=COLUMNS, made=ROWS * COLUMNS)
    assert made == engine.fetch(f"select count(*) from ({select}) as rows").rows[0][0]
    assert kept(engine) < 10_000_000


@pytest.mark.parametrize("rows", [ROWS, 10, 100 * ROWS])
def test_what_needs_more_memory_gets_it(engine, monkeypatch, rows):
    """A table that is said to be very small or large is read as ever."""
    monkeypatch.setattr(_duckdb_session, "_WORKING", 1_000_000)
    monkeypatch.setattr(_duckdb_session, "_BLOCK", 0)
    before, sent = limits(engine), []

    def ask():
        sent.append(limits(engine) == before)
        return engine.fetch(SUM.format(engine.relation("t")))

    assert engine.sparingly(ask, rows=rows, columns=COLUMNS).rows
    assert sent == ([False, True] if rows == ROWS else [True])
    assert limits(engine) == before
