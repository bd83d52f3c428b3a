"""DuckDB files: what cannot be opened, and what is said then."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import duckdb
import pytest
from duckdb_files import build, refused

from seg_sql.engines import _duckdb_errors, _duckdb_file, open_engine
from seg_sql.engines import duckdb as engine_module
from seg_sql.errors import DatabaseError
from seg_sql.profiles import DuckDBTarget


def test_a_folder_that_does_not_exist(tmp_path):
    folder = tmp_path / "absent"
    error = refused(DuckDBTarget(path=str(folder / "test.duckdb")))
    assert "does not exist" in error.message
    assert error.hint == f"Make it: mkdir -p {folder}"
    assert not folder.exists()


def test_a_file_that_does_not_exist_is_not_read(file):
    error = refused(DuckDBTarget(path=str(file)), read_only=True)
    assert "There is no database file" in error.message
    assert not file.exists()


def test_a_folder_is_no_file(tmp_path):
    assert "is a folder" in refused(DuckDBTarget(path=str(tmp_path))).message


@pytest.mark.parametrize("content", [b"", b"order_id,amount\n1,2\n" * 1000], ids=["empty", "csv"])
def test_a_file_that_is_no_database(file, content):
    file.write_bytes(content)
    error = refused(DuckDBTarget(path=str(file)))
    assert "is not a DuckDB database file" in error.message
    assert file.read_bytes() == content


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            # What DuckDB 1.5.6 says of a file that 2.0.0 has made.
            "IO Error: Trying to read a database file with version number 69, but we can only"
            " read versions between 64 and 68.\nThe database file was created with a newer"
            " version of DuckDB.",
            "was written by another version of DuckDB",
        ),
        ('IO Error: Cannot open file "x": Permission denied', "may not open the database file"),
        ('IO Error: Cannot open file "x": Read-only file system', "may not open the database"),
        ("IO Error: Something else\\n\\nat length", "DuckDB cannot open x: IO Error: Something"),
    ],
)
def test_what_the_driver_says_on_opening(words, expected):
    error = _duckdb_file._open_error(words, Path("x"), locked=False)
    assert expected in error.message


def test_a_file_that_is_open_in_this_process_in_another_mode(file):
    with contextlib.closing(duckdb.connect(str(file))):
        assert (
            "already open in this process"
            in refused(DuckDBTarget(path=str(file)), read_only=True).message
        )


def test_missing_rights_are_sentences(file, monkeypatch):
    # As root every file can be written, so the answer of the system is given here.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    engine = open_engine(DuckDBTarget(path=str(file)))
    assert engine.missing_rights() == [
        f"The user of this process needs to write to {file}.",
        f"The user of this process needs to write to {file.parent}.",
    ]
    engine.close()
    engine = open_engine(DuckDBTarget())
    assert engine.missing_rights() == []
    engine.close()


def test_a_file_for_readers_that_lag(file):
    target = DuckDBTarget(path=str(file), storage_version="v1.0.0")
    open_engine(target).close()
    with contextlib.closing(duckdb.connect(str(file))) as connection:
        tags = connection.execute(
            "select tags from duckdb_databases() where database_name = 'test'"
        ).fetchone()[0]
    assert "v1.0.0" in tags["storage_version"]
    # An existing file is left as it is.
    open_engine(target.model_copy(update={"storage_version": "v1.2.0"})).close()


def test_an_unknown_storage_version(file):
    error = refused(DuckDBTarget(path=str(file), storage_version="v0.0.0"))
    assert "v0.0.0" in error.message


def test_an_unknown_extension(file, monkeypatch):
    error = refused(DuckDBTarget(path=str(file), extensions=["no'such"]))
    assert "no'such" in error.message


def test_an_extension_that_is_there_is_loaded(file):
    engine = open_engine(DuckDBTarget(path=str(file), extensions=["parquet"]))
    assert engine.fetch("select 1").rows == [(1,)]
    engine.close()


def test_other_databases_are_attached(file, tmp_path):
    other = tmp_path / "o'ther.duckdb"
    with contextlib.closing(duckdb.connect(str(other))) as connection:
        connection.execute("create table sales as select 7 as amount")
    attach = [{"path": str(other), "alias": 'the "other"', "type": "duckdb"}]
    target = DuckDBTarget.model_validate({"path": str(file), "attach": attach})
    engine = open_engine(target)
    name = engine.quote('the "other"')
    assert engine.fetch(f"select amount from {name}.main.sales").rows == [(7,)]
    with pytest.raises(DatabaseError, match="read-only"):
        engine.execute(f"insert into {name}.main.sales values (1)")
    engine.close()


def test_a_failing_attachment_does_not_show_a_password(file):
    path = "/no/such/folder/postgresql://me:s3cret@host/db password=s3cret"
    attach = [{"path": path, "alias": "other"}]
    target = DuckDBTarget.model_validate({"path": str(file), "attach": attach})
    error = refused(target)
    assert "'other' cannot be attached" in error.message
    assert "s3cret" not in str(error)
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_without_time_zones_only_utc_works(file, monkeypatch):
    send = engine_module.DuckDBEngine.send

    def without(self, sql, *arguments, **options):
        if "TimeZone" in sql:
            raise DatabaseError('Catalog Error: unrecognized configuration parameter "TimeZone"')
        return send(self, sql, *arguments, **options)

    monkeypatch.setattr(engine_module.DuckDBEngine, "send", without)
    open_engine(DuckDBTarget(path=str(file)), timezone="UTC").close()
    error = refused(DuckDBTarget(path=str(file)), timezone="Europe/London")
    assert "Europe/London" in error.message
    assert "icu" in error.hint


def test_memory_and_temporary_space_that_do_not_suffice(tmp_path, file):
    settings = {
        "memory_limit": "60MB",
        "temp_directory": str(tmp_path / "spill"),
        "max_temp_directory_size": "1MB",
    }
    target = DuckDBTarget(path=str(file), threads=1, settings=settings)
    engine = open_engine(target)
    engine.prepare_schema()
    with pytest.raises(DatabaseError, match=r"The disk is full|ran out of memory") as raised:
        engine.create(
            "t", "table", "select md5(i::varchar) as a, i from range(4000000) r(i) order by a"
        )
    assert "\n" not in raised.value.message
    assert raised.value.hint
    assert engine.existing() == {}
    engine.close()


def test_a_full_disk_is_one_sentence(monkeypatch):
    raised = duckdb.IOException(
        'IO Error: Could not write file "x.duckdb": No space left on device\n\nat length'
    )
    error = _duckdb_errors.database_error(raised, "select 1", None)
    assert error.message == (
        'The disk is full: IO Error: Could not write file "x.duckdb": No space left on device.'
    )
    assert "Free space" in error.hint


@pytest.mark.parametrize(
    "raised", [RuntimeError("Query interrupted"), duckdb.InterruptException("INTERRUPT Error")]
)
def test_control_c_is_no_error_of_the_database(raised, monkeypatch):
    class Interrupted:
        """What DuckDB raises when the person at the keyboard presses Ctrl-C."""

        def execute(self, *arguments):
            raise raised

        def close(self):
            pass

    engine = open_engine(DuckDBTarget())
    with monkeypatch.context() as patched:
        patched.setattr(engine, "_connection", Interrupted())
        with pytest.raises(KeyboardInterrupt):
            engine.fetch("select 1")
    engine.close()


def test_rejected_rows_of_files_are_counted_once(tmp_path):
    broken = tmp_path / "broken.csv"
    # Line 3 lacks a column; line 4 has two too many.
    broken.write_text("a,b\n1,2\n3\n4,5,6,7\n8,9\n")
    engine = open_engine(DuckDBTarget())
    assert engine.rejected_rows() == 0
    for _ in range(2):
        rows = engine.fetch(
            f"select a, b from read_csv({engine.literal(str(broken))}, all_varchar = true,"
            " header = true, store_rejects = true)"
        ).rows
    assert rows == [("1", "2"), ("8", "9")]
    assert engine.rejected_rows() == 2
    engine.close()


def test_a_checkpoint_leaves_nothing_in_the_log(file):
    log = file.with_name(f"{file.name}.wal")
    with contextlib.closing(open_engine(DuckDBTarget(path=str(file)))) as engine:
        build(engine, 1)
        assert log.stat().st_size > 0
        engine.checkpoint()
        assert not log.exists()


def test_settings_of_the_database_are_as_they_were(file):
    """They are those of everybody in this process who has the file open, as in a notebook."""
    names = "('disabled_optimizers', 'max_vacuum_tasks')"
    asked = f"select name, value from duckdb_settings() where name in {names} order by name"
    with duckdb.connect(file) as other:
        other.execute("set disabled_optimizers = 'join_order'")
        before = other.execute(asked).fetchall()
        with contextlib.closing(open_engine(DuckDBTarget(path=str(file)))) as engine:
            build(engine, 1)
            engine.checkpoint()
            # Where it is known, the checkpoint's setting has ended with it.
            assert other.execute(asked).fetchall()[1:] == before[1:]
        assert other.execute(asked).fetchall() == before


@pytest.mark.parametrize("content", ["customer,amount\nann,3\n", "PAR1 and what follows"])
def test_a_file_of_data_is_no_database(tmp_path, content):
    """DuckDB would read a CSV into a database in memory, and all that is built would be lost."""
    path = tmp_path / "orders.csv"
    path.write_text(content)
    error = refused(DuckDBTarget(path=str(path)))
    assert error.message == f"{path} is not a DuckDB database file."
    assert path.read_text() == content
