"""Building in a copy of a DuckDB file, which replaces it at the end."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import textwrap

import pytest
from duckdb_files import build, read, refused

from seg_sql.engines import open_engine
from seg_sql.errors import DatabaseError
from seg_sql.profiles import DuckDBTarget


@pytest.fixture
def copying(file):
    return DuckDBTarget(path=str(file), copy_on_build=True)


@contextlib.contextmanager
def another_process(script, target):
    """Run a script on a target in a process of its own, from its first line until the end."""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), target.model_dump_json(by_alias=True)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def test_a_copy_replaces_the_file_at_the_end(copying, file, tmp_path):
    engine = open_engine(copying)
    build(engine, 1)
    assert not file.exists()
    engine.close()
    assert [path.name for path in tmp_path.iterdir()] == ["test.duckdb"]
    assert read(copying) == 1
    engine = open_engine(copying)
    build(engine, 2)
    # Until then everybody reads the old rows, and a reader of the old file is in nobody's way.
    assert read(copying) == 1
    with contextlib.closing(open_engine(copying, read_only=True)):
        engine.close()
    assert read(copying) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["test.duckdb"]


def test_a_reader_is_not_in_the_way_of_a_copy(copying):
    for number in (1, 2):
        with contextlib.closing(open_engine(copying)) as engine:
            build(engine, number)
    script = """
        import sys
        from seg_sql.engines import open_engine
        from seg_sql.profiles import DuckDBTarget
        engine = open_engine(DuckDBTarget.model_validate_json(sys.argv[1]), read_only=True)
        print("open", flush=True)
        sys.stdin.readline()
    """
    with another_process(script, copying) as process:
        # In place this could not even start.
        assert (
            f"process {process.pid}"
            in refused(copying.model_copy(update={"copy_on_build": False})).message
        )
        with contextlib.closing(open_engine(copying)) as engine:
            build(engine, 3)
        assert read(copying) == 3


def test_a_writer_is_in_the_way_of_a_copy(copying, tmp_path):
    with contextlib.closing(open_engine(copying)) as engine:
        build(engine, 1)
    in_place = copying.model_copy(update={"copy_on_build": False})
    with another_process(BUILDER, in_place) as process:
        assert f"in use by process {process.pid}" in refused(copying).message
    assert not list(tmp_path.glob("*.building*"))


def test_a_first_build_in_a_copy_that_fails_leaves_nothing(copying, tmp_path):
    versioned = copying.model_copy(update={"storage_version": "v1.4.0"})
    engine = open_engine(versioned)
    build(engine, 1)
    engine.close(keep=False)
    assert not list(tmp_path.iterdir())


def test_a_copy_that_is_not_kept(copying, tmp_path):
    engine = open_engine(copying)
    build(engine, 1)
    engine.close()
    engine = open_engine(copying)
    build(engine, 2)
    engine.close(keep=False)
    engine.close()
    assert read(copying) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["test.duckdb"]


BUILDER = """
    import sys
    from seg_sql.engines import open_engine
    from seg_sql.profiles import DuckDBTarget
    engine = open_engine(DuckDBTarget.model_validate_json(sys.argv[1]))
    engine.create("half", "table", "select 1 as a")
    print("locked", flush=True)
    sys.stdin.readline()
"""


def test_a_second_build_in_a_copy_says_who_builds(copying, tmp_path):
    engine = open_engine(copying)
    build(engine, 1)
    engine.close()
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(BUILDER), copying.model_dump_json(by_alias=True)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        process.stdout.readline()
        error = refused(copying)
        assert f"{copying.path} is in use by process {process.pid}" in error.message
        # Who reads is not concerned.
        assert read(copying) == 1
        process.kill()
    # What the killed build left is in nobody's way, and swept away.
    engine = open_engine(copying)
    assert set(engine.existing()) == {"t"}
    build(engine, 2)
    engine.close()
    assert read(copying) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["test.duckdb"]


def test_a_file_that_changed_meanwhile_is_not_replaced(copying, tmp_path):
    engine = open_engine(copying)
    build(engine, 1)
    engine.close()
    engine = open_engine(copying)
    build(engine, 2)
    other = open_engine(copying.model_copy(update={"copy_on_build": False}))
    build(other, 3)
    other.close()
    with pytest.raises(DatabaseError, match="changed by another program"):
        engine.close()
    assert read(copying) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["test.duckdb"]


def test_a_copy_has_what_only_the_log_had(copying, file):
    # A killed process leaves committed rows in the write-ahead log beside the file.
    script = """
        import os, sys, duckdb
        connection = duckdb.connect(sys.argv[1])
        connection.execute("set checkpoint_threshold = '1GB'")
        connection.execute("create schema seg_sql")
        connection.execute("create table seg_sql.t as select 5 as a")
        connection.execute("comment on table seg_sql.t is 'build 5'")
        os._exit(9)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script), str(file)], check=False)
    assert file.with_name("test.duckdb.wal").exists()
    engine = open_engine(copying)
    assert engine.fetch(f"select a from {engine.relation('t')}").rows == [(5,)]
    engine.close()
    assert read(copying) == 5
    assert not file.with_name("test.duckdb.wal").exists()
