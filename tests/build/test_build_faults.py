"""A connection that drops, a disk that is full, a right that is missing: one clear error each."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from build_shop import BuildShop

from seg_sql import building
from seg_sql.errors import ConfigError, SegSqlError, StartError
from seg_sql.events import RunFinished
from seg_sql.profiles import PostgresTarget

PUBLISH = "seg_sql.engines.postgres.PostgresEngine.publish"


def cut_at(
    monkeypatch: pytest.MonkeyPatch, admin: Any, place: str, when: Callable[..., bool]
) -> None:
    """End the sessions of seg-sql on the server when a function is called with such arguments."""
    original = pkgutil.resolve_name(place)

    def cutting(*arguments: Any, **named: Any) -> Any:
        if when(*arguments):
            admin.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                " where application_name = 'seg-sql' and datname = current_database()"
            )
        return original(*arguments, **named)

    monkeypatch.setattr(place, cutting)


CHAIN = ("a", "b", "c")


def chain(shop: BuildShop) -> BuildShop:
    """Three models, each of which reads the one before; n is 1, 2, 3."""
    shop.model("a", "select 1 as n")
    shop.model("b", "select n + 1 as n from {{ ref('a') }}")
    shop.model("c", "select n + 1 as n from {{ ref('b') }}")
    return shop


@pytest.mark.parametrize(
    ("place", "when"),
    [
        ("seg_sql.building.data_test", lambda run, each: each.model == "b"),
        ("seg_sql.building._select", lambda run, node: node.name == "b"),
        (PUBLISH, lambda engine, publications: publications[0].name == "b"),
    ],
    ids=["before a test", "before a model", "before publishing"],
)
def test_a_connection_that_drops(
    postgres_shop: BuildShop,
    admin: Any,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    when: Callable[..., bool],
) -> None:
    shop = chain(postgres_shop)
    shop.build(*CHAIN)
    with monkeypatch.context() as patched:
        cut_at(patched, admin, place, when)
        assert shop.run("build", *CHAIN) == 1
    assert shop.statuses == {"a": "success", "b": "error", "c": "skipped"}
    assert shop.said().count("The connection to PostgreSQL is lost") == 1
    assert (shop.finished.failed, shop.finished.skipped) == (1, 1)
    # Yesterday's tables are there, and the record of what happened.
    assert shop.values("select n from $c") == [3]
    results = shop.artifact("run_results.json")["results"]
    assert {r["unique_id"]: r["status"] for r in results}["model.shop.c"] == "skipped"
    assert shop.run("retry") == 0
    assert list(shop.statuses) == ["b", "c"]
    assert shop.hidden() == []


def test_a_connection_that_drops_while_all_is_published(
    postgres_shop: BuildShop, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = chain(postgres_shop)
    shop.write(publish="together")
    shop.build(*CHAIN)
    with monkeypatch.context() as patched:
        cut_at(patched, admin, PUBLISH, lambda engine, publications: len(publications) == 3)
        assert shop.run("build", *CHAIN) == 1
    assert set(shop.statuses.values()) == {"skipped"}
    assert shop.said().count("The connection to PostgreSQL is lost") == 1
    assert shop.run("retry") == 0
    assert shop.hidden() == []


def test_a_connection_that_drops_before_the_start(
    postgres_shop: BuildShop, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = chain(postgres_shop)
    shop.build(*CHAIN)
    before = shop.artifact("run_results.json")
    cut_at(monkeypatch, admin, "seg_sql.runner._check_upstream", lambda *_: True)
    with pytest.raises(StartError, match="The connection to PostgreSQL is lost") as raised:
        shop.run("build", *CHAIN)
    assert raised.value.exit_code == 2
    assert shop.artifact("run_results.json") == before


def test_a_connection_that_drops_in_the_test_command(
    postgres_shop: BuildShop, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = chain(postgres_shop)
    shop.build(*CHAIN)
    cut_at(monkeypatch, admin, "seg_sql.runner.data_test", lambda run, each: each.model == "b")
    assert shop.run("test", *CHAIN) == 1
    assert shop.said().count("The connection to PostgreSQL is lost") == 1
    assert {event.model for event in shop.tests.values()} == {"a"}


def test_a_full_disk(duckdb_shop: BuildShop) -> None:
    """As far as it can be made: a sort that may spill next to nothing."""
    shop = chain(duckdb_shop)
    shop.target = shop.target.model_copy(
        update={
            "settings": {"memory_limit": "30MB", "max_temp_directory_size": "100KB"},
            "threads": 1,
        }
    )
    shop.write()
    shop.model(
        "b",
        "select n + i as n, row_number() over (order by md5(cast(i as varchar))) as place"
        " from {{ ref('a') }} cross join range(3000000) as numbers(i)",
    )
    assert shop.run("build", *CHAIN) == 1
    assert shop.statuses == {"a": "success", "b": "error", "c": "skipped"}
    said = shop.said()
    assert "The disk is full" in said or "out of memory" in said.lower()
    assert shop.hidden() == []
    assert shop.artifact("run_results.json")["results"]


def test_a_database_that_fails_in_the_middle_of_a_model(shop: BuildShop) -> None:
    """A row that no cast can read: the words of the database, and the lines around."""
    shop = chain(shop)
    shop.seed("words", "w\n1\nx\n")
    shop.model("b", "select\n    cast(w as integer) as n\nfrom {{ ref('words') }}")
    assert shop.run("build", "words", *CHAIN) == 1
    assert shop.statuses["b"] == "error"
    said = shop.said()
    assert "sql/models/b.sql" in said
    assert f"compiled: {shop.folder}/target/compiled/sql/models/b.sql" in said
    assert shop.hidden() == []


def limited(shop: BuildShop, role: str) -> BuildShop:
    """The same project as a role that may only read the raw table."""
    assert isinstance(shop.target, PostgresTarget)
    shop.target = shop.target.model_copy(update={"user": role})
    shop.write()
    return shop


def test_no_right_to_create_tables(
    postgres_shop: BuildShop, admin: Any, role: Callable[..., str]
) -> None:
    """Once, and not at every model."""
    shop, name = chain(postgres_shop), role()
    admin.execute(f'grant usage on schema {shop.schema_} to "{name}"')
    admin.execute(f'grant select on all tables in schema {shop.schema_} to "{name}"')
    limited(shop, name)
    done = shop.command("build", "-s", "a")
    assert done.returncode == 2
    schema = shop.target.schema_
    assert done.stderr.splitlines() == [
        f"Error: The user of this target may not write to the schema {schema}.",
        f'  GRANT CREATE ON SCHEMA "{schema}" TO "{name}";',
    ]
    assert not (shop.folder / "target" / "run_results.json").exists()


def test_no_right_to_create_the_schema(postgres_shop: BuildShop, role: Callable[..., str]) -> None:
    shop, name = chain(postgres_shop), role()
    shop.target = shop.target.model_copy(update={"schema_": f"{shop.target.schema_}_new"})
    limited(shop, name)
    shop.write(inputs={})
    with pytest.raises(StartError, match="may not write to the schema") as raised:
        shop.run("build", *CHAIN)
    assert raised.value.hint is not None
    assert raised.value.hint.startswith("GRANT CREATE ON DATABASE")


def test_a_file_that_may_only_be_read(
    duckdb_shop: BuildShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rights themselves cannot be taken from an administrator, who runs tests too."""
    shop = chain(duckdb_shop)
    monkeypatch.setattr("seg_sql.engines.duckdb.writable", lambda path: path.is_dir())
    with pytest.raises(StartError, match="may not write") as raised:
        shop.run("build", *CHAIN)
    assert raised.value.hint == f"The user of this process needs to write to {shop.target.path}."


def test_no_right_to_read_the_input(
    postgres_shop: BuildShop, admin: Any, role: Callable[..., str]
) -> None:
    shop, name = postgres_shop, role()
    admin.execute(f'grant usage, create on schema {shop.schema_} to "{name}"')
    limited(shop, name)
    with pytest.raises(SegSqlError, match=r"(?s)permission denied for table raw_raw.*GRANT SELECT"):
        shop.run("build", "+orders")


def test_an_input_that_breaks_while_it_is_read(shop: BuildShop) -> None:
    shop.execute(
        f"create view {shop.schema_}.raw_broken as"
        f" select customer_id, order_id, ordered_at, cast(item_id as integer) as amount"
        f" from {shop.raw('raw')}"
    )
    shop.write(inputs={"order_lines": {"relation": shop.raw("broken")}})
    with pytest.raises(StartError, match=r"seg_sql\.yml:\d+: The input order_lines cannot be read"):
        shop.run("build", "+orders")
    assert not (shop.folder / "target" / "run_results.json").exists()


@pytest.mark.parametrize("command", ["build", "test"])
def test_a_target_folder_that_cannot_be_written(duckdb_shop: BuildShop, command: str) -> None:
    shop = chain(duckdb_shop)
    shop.build(*CHAIN)
    (shop.folder / "target").rename(shop.folder / "moved")
    shop.file("target", "a file in the way")
    with pytest.raises(ConfigError, match=r"target cannot be written: .*\n.*--target-path"):
        shop.run(command, *CHAIN)
    done = shop.command(command, "-s", "a", "--target-path", "elsewhere")
    assert done.returncode == 0, done.stderr
    assert (shop.folder / "elsewhere" / "manifest.json").exists()


def test_a_folder_that_fills_up_in_the_middle(
    duckdb_shop: BuildShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """target/ on a full disk: the model fails with a sentence, and nothing is left hidden."""
    shop = chain(duckdb_shop)
    original = Path.write_text

    def full(self: Path, text: str, *arguments: Any, **named: Any) -> int:
        if self.name == "b.sql":
            raise OSError(28, "No space left on device")
        return original(self, text, *arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", full)
        assert shop.run("build", *CHAIN) == 1
    assert shop.statuses == {"a": "success", "b": "error", "c": "skipped"}
    assert "b.sql cannot be written: No space left on device." in shop.said()
    assert shop.hidden() == []


def test_a_folder_that_fills_up_at_the_end(
    duckdb_shop: BuildShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All is built, so that the code is not that of a build that could not start."""
    shop = chain(duckdb_shop)
    original = Path.write_text

    def full(self: Path, text: str, *arguments: Any, **named: Any) -> int:
        if self.suffix != ".sql":
            raise OSError(28, "No space left on device")
        return original(self, text, *arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", full)
        # The file of JUnit is a folder.
        assert shop.run("build", *CHAIN, junit=shop.folder / "sql") == 1
    assert shop.statuses == {"a": "success", "b": "success", "c": "success"}
    assert "manifest.json cannot be written: No space left on device." in shop.said()
    assert "sql cannot be written: Is a directory." in shop.said()
    assert shop.log.of(RunFinished)[0].failed == 1
    assert shop.values("select count(*) from $c") == [1]


def test_a_fault_of_ours_leaves_no_litter(shop: BuildShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever breaks the walk: hidden tables go, the record stays, `retry` builds the rest."""
    chain(shop)
    original = building.data_test

    def broken(run: Any, each: Any) -> Any:
        if each.model == "b":
            raise ZeroDivisionError("a fault")
        return original(run, each)

    with monkeypatch.context() as patched:
        patched.setattr(building, "data_test", broken)
        with pytest.raises(ZeroDivisionError):
            shop.run("build", *CHAIN)
    assert shop.statuses == {"a": "success", "b": "error", "c": "skipped"}
    assert shop.hidden() == []
    assert shop.run("retry") == 0
    assert list(shop.statuses) == ["b", "c"]


def test_an_interruption(shop: BuildShop, monkeypatch: pytest.MonkeyPatch) -> None:
    chain(shop)

    def interrupted(run: Any, each: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(building, "data_test", interrupted)
        with pytest.raises(KeyboardInterrupt):
            shop.run("build", *CHAIN)
    assert shop.statuses == {"a": "error", "b": "skipped", "c": "skipped"}
    assert "a interrupted" in shop.said()
    assert shop.hidden() == []
    assert shop.run("retry") == 0
