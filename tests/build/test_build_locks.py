"""One build of a target at a time, and who is in the way."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from build_shop import BuildShop

from seg_sql.engines import open_engine
from seg_sql.errors import StartError

HOLDER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.readline()
"""


@contextmanager
def held(shop: BuildShop) -> Iterator[tuple[str, threading.Event]]:
    """Hold the target as another build does; yield how it is named, and what lets go of it."""
    free = threading.Event()
    if shop.is_postgres:
        engine = open_engine(shop.target)
        engine.lock(0)
        pid = engine.fetch("select pg_backend_pid()").rows[0][0]
        let_go, clean_up = engine.unlock, engine.close
    else:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, shop.target.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        process.stdout.readline()
        pid = process.pid

        def let_go() -> None:
            process.communicate("\n")

        def clean_up() -> None:
            process.kill()
            process.communicate()

    def wait_and_let_go() -> None:
        free.wait()
        let_go()

    waiting = threading.Thread(target=wait_and_let_go)
    waiting.start()
    try:
        yield f"process {pid}", free
    finally:
        free.set()
        waiting.join()
        clean_up()


def test_a_second_build_fails_at_once_and_says_who(shop: BuildShop) -> None:
    shop.model("m", "select 1 as n")
    shop.build("m")
    before = shop.artifact("run_results.json")
    with held(shop) as (who, _):
        with pytest.raises(StartError) as raised:
            shop.run("build", "m")
        assert who in raised.value.message
        assert raised.value.hint is not None
        assert "--wait SECONDS" in raised.value.hint
        assert raised.value.exit_code == 2
    # The record of the build that runs, or ran last, is left alone: `retry` needs it.
    assert shop.artifact("run_results.json") == before
    shop.build("m")


def test_the_command_line_says_it_in_one_error(shop: BuildShop) -> None:
    shop.model("m", "select 1 as n")
    with held(shop) as (who, _):
        done = shop.command("build", "-s", "m")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    assert who in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_wait_waits_for_it(shop: BuildShop) -> None:
    shop.model("m", "select 1 as n")
    with held(shop) as (_, free):
        build = shop.start("build", "-s", "m", "--wait", "60")
        with build:
            assert build.stderr is not None
            free.set()
            said = build.stderr.read()
    assert build.returncode == 0, said
    assert shop.values("select n from $m") == [1]


def test_wait_ends(shop: BuildShop) -> None:
    shop.model("m", "select 1 as n")
    with held(shop) as (who, _), pytest.raises(StartError, match=who):
        shop.run("build", "m", wait=0.5)


def test_other_schemas_are_not_locked(postgres_shop: BuildShop) -> None:
    shop = postgres_shop
    shop.model("m", "select 1 as n")
    with held(shop):
        other = shop.target.model_copy(update={"schema_": f"{shop.target.schema_}_b"})
        neighbour = BuildShop(shop.folder, other)
        neighbour.write(inputs={})
        try:
            neighbour.build("m")
            assert "m" in neighbour.names()
            assert "m" not in shop.names()
        finally:
            neighbour.execute(f"drop schema {neighbour.schema_} cascade")


def test_the_lock_is_free_after_a_failure(shop: BuildShop) -> None:
    shop.model("m", "select nothing as n from (select 1 as a) as one")
    assert shop.run("build", "m") == 1
    shop.model("m", "select 1 as n")
    with shop.engine() as engine:
        engine.lock(0)
        engine.unlock()
    shop.build("m")
