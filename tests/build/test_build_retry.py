"""`retry` does again what failed or was skipped, as it was asked for the first time."""

from __future__ import annotations

import pytest
from build_shop import BuildShop

from seg_sql.errors import ConfigError


@pytest.fixture
def failed(duckdb_shop: BuildShop) -> BuildShop:
    shop = duckdb_shop
    shop.model("a", "select {{ var('answer', 1) }} as n")
    shop.model("b", "select nothing as n from {{ ref('a') }}")
    shop.model("c", "select n from {{ ref('b') }}")
    shop.model("d", "select n from {{ ref('a') }}")
    assert shop.run("build", "a+", vars={"answer": 42}) == 1
    return shop


def test_retry_builds_what_is_left(failed: BuildShop) -> None:
    failed.model("b", "select n + {{ var('answer') }} as n from {{ ref('a') }}")
    # The variable that was given on the command line is given again.
    assert failed.run("retry") == 0
    assert failed.statuses == {"b": "success", "c": "success"}
    assert failed.values("select n from $c") == [84]
    assert failed.artifact("run_results.json")["args"]["which"] == "build"


def test_retry_again_fails_again(failed: BuildShop) -> None:
    assert failed.run("retry") == 1
    assert failed.statuses == {"b": "error", "c": "skipped"}
    assert failed.run("retry") == 1
    assert failed.statuses == {"b": "error", "c": "skipped"}


def test_after_success_there_is_nothing_to_retry(failed: BuildShop) -> None:
    failed.model("b", "select n from {{ ref('a') }}")
    assert failed.run("retry") == 0
    assert failed.run("retry") == 0
    assert failed.statuses == {}
    assert "nothing to retry" in failed.said()


def test_a_model_that_is_gone_is_not_retried(failed: BuildShop) -> None:
    (failed.folder / "sql/models/b.sql").unlink()
    failed.model("c", "select n from {{ ref('a') }}")
    assert failed.run("retry") == 0
    assert failed.statuses == {"c": "success"}


def test_retry_stays_on_the_day_of_the_run_when_lines_have_come_in(shop: BuildShop) -> None:
    """The first run read up to 31 March; what it has built is of 2026-04-01."""
    shop.model("broken", "select nothing from {{ ref('rfm') }} as rfm")
    assert shop.run("build", "+rfm_segments", "broken") == 1
    shop.execute(f"insert into {shop.raw('raw')} values ('bob', '7', '2026-04-09', 'mug', 1, 5.0)")
    shop.model("broken", "select max(as_of) as day from {{ ref('rfm') }} as rfm")
    assert shop.run("retry") == 0, shop.said()
    assert shop.statuses == {"broken": "success"}
    assert "as_of 2026-04-01 (of the run that is done again)" in shop.said()
    # A build is of today again.
    shop.build("+rfm")
    assert "as_of 2026-04-10 (the day after the last order line)" in shop.said()


def test_retry_judges_lines_of_the_future_as_the_run_did(shop: BuildShop) -> None:
    """A line in four is dated in the future, which is not done on purpose, in either run."""
    for day in range(1, 5):
        line = f"values ('bob', '7', '2999-01-0{day}', 'mug', 1, 5.0)"
        shop.execute(f"insert into {shop.raw('raw')} {line}")
    for command in ("build", "retry"):
        words = ("+input_quality",) if command == "build" else ()
        assert shop.run(command, *words, warn_error=True) == 1, shop.said()
        assert "dropped; `seg-sql show input_quality` says why" in shop.said()


def test_retry_of_tests_tests(duckdb_shop: BuildShop) -> None:
    shop = duckdb_shop
    shop.model("a", "select 6 as n")
    shop.model("b", "select 1 as n")
    shop.build("a", "b")
    test = {"accepted_range": {"max_value": 5}}
    shop.schema(
        models=[{"name": name, "columns": [{"name": "n", "data_tests": [test]}]} for name in "ab"]
    )
    assert shop.run("test", "a", "b") == 1
    assert shop.run("retry") == 1
    # Only the model whose test failed; and nothing is built.
    assert {event.model for event in shop.tests.values()} == {"a"}
    assert shop.statuses == {}


def test_a_run_that_could_not_start_is_no_run(failed: BuildShop) -> None:
    """What failed before stays to be retried."""
    with pytest.raises(ConfigError):
        failed.run("build", "a", vars={"as_of": "someday"})
    failed.model("b", "select n from {{ ref('a') }}")
    assert failed.run("retry") == 0
    assert failed.statuses == {"b": "success", "c": "success"}


def test_without_a_run_there_is_an_error(duckdb_shop: BuildShop) -> None:
    with pytest.raises(ConfigError, match=r"There is no run to retry\.\n  Run `seg-sql build`"):
        duckdb_shop.run("retry")
    duckdb_shop.file("target/run_results.json", '{"results": []}')
    with pytest.raises(ConfigError, match=r"not a run_results\.json of seg-sql"):
        duckdb_shop.run("retry")
