"""One build of a target at a time, and a sentence that says who has it."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading

import pytest

from seg_sql.engines import open_engine
from seg_sql.errors import DatabaseError, StartError

HOLDER = """
    import sys
    from seg_sql.engines import open_engine
    from seg_sql.profiles import DuckDBTarget, PostgresTarget
    kind = DuckDBTarget if sys.argv[1] == "duckdb" else PostgresTarget
    engine = open_engine(kind.model_validate_json(sys.argv[2]))
    engine.lock(0)
    print("locked", flush=True)
    sys.stdin.readline()
    engine.close()
"""


@pytest.fixture
def holder(target):
    """Another process that builds the target, until a line is written to it."""
    written = target.model_dump_json(by_alias=True)
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLDER), target.type, written],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout.readline() == "locked\n"
        yield process
        process.kill()


def start(target, wait):
    """Open and lock a target as a build does."""
    engine = open_engine(target, wait=wait)
    try:
        engine.lock(wait)
    except BaseException:
        engine.close()
        raise
    return engine


def test_a_second_build_fails_at_once_and_says_who_builds(target, holder):
    with pytest.raises(StartError) as raised:
        start(target, 0)
    error = raised.value
    assert error.exit_code == 2
    assert "\n" not in error.message
    if target.type == "duckdb":
        assert target.path in error.message
        assert f"process {holder.pid}" in error.message
        assert "python" in error.message
    else:
        assert f"{target.dbname}.{target.schema_}" in error.message
        assert "application 'seg-sql', user" in error.message
        assert "since " in error.message


def test_a_second_build_may_wait(target, holder):
    done = threading.Timer(0.5, lambda: (holder.stdin.write("\n"), holder.stdin.flush()))
    done.start()
    engine = start(target, 30)
    done.join()
    assert holder.wait(timeout=30) == 0
    engine.prepare_schema()
    assert engine.existing() == {}
    engine.close()


def test_waiting_ends(target, holder):
    with pytest.raises(StartError, match="process"):
        start(target, 0.3)
    assert holder.poll() is None


def test_a_killed_build_holds_nothing(target, holder):
    holder.kill()
    holder.wait()
    # A server notices the end of its client within a moment.
    engine = start(target, 30)
    assert engine.fetch("select 1").rows == [(1,)]
    engine.close()


def test_an_unlocked_target_is_free(target):
    """On DuckDB whoever has opened the file holds it, so the end of the connection frees it."""
    first = start(target, 0)
    first.unlock()
    if target.type == "duckdb":
        first.close()
    second = start(target, 0)
    assert second.fetch("select 1").rows == [(1,)]
    second.close()
    first.close()


def test_other_schemas_of_a_database_are_free(postgres_target):
    first = start(postgres_target, 0)
    with pytest.raises(StartError, match="seg-sql"):
        start(postgres_target, 0)
    second = start(postgres_target.model_copy(update={"schema_": "another"}), 0)
    assert second.schema == "another"
    second.close()
    first.close()


def test_a_session_that_is_ended_is_lost_and_frees_the_target(postgres_target, admin):
    engine = start(postgres_target, 0)
    process = engine.fetch("select pg_backend_pid()").rows[0][0]
    assert admin.execute("select pg_terminate_backend(%s, 10000)", [process]).fetchone() == (True,)
    with pytest.raises(DatabaseError, match="connection to PostgreSQL is lost") as raised:
        engine.fetch("select 1")
    assert raised.value.lost
    # And so is every further statement.
    for statement in (lambda: engine.drop("t"), lambda: engine.describe("select 1"), engine.unlock):
        with pytest.raises(DatabaseError) as raised:
            statement()
        assert raised.value.lost
    start(postgres_target, 0).close()
    engine.close()
