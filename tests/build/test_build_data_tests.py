"""A model whose test fails is not published, and what that means for the others."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from build_shop import BASE, BuildShop, numbers_of

from seg_sql.errors import SegSqlError

Numbers = Callable[..., BuildShop]


def column(*tests: object, name: str = "n") -> list[dict[str, object]]:
    return [{"name": name, "data_tests": list(tests)}]


def test_a_failed_test_leaves_yesterdays_rows(numbers: Numbers) -> None:
    shop = numbers("n\n1\n2\n", columns=column({"accepted_range": {"max_value": 5}}))
    shop.model("doubled", "select n * 2 as m from {{ ref('numbers') }}")
    shop.model("aside", "select n from {{ ref('given') }}")
    shop.build("given", "numbers", "doubled", "aside")

    shop.seed("given", "n\n3\n9\n")
    assert shop.run("build", "given", "numbers", "doubled", "aside") == 1
    assert shop.statuses == {
        "given": "success",
        "aside": "success",
        "numbers": "error",
        "doubled": "skipped",
    }
    assert (shop.finished.failed, shop.finished.skipped) == (2, 1)
    # 9 is above 5: yesterday's 1 and 2 stay, and what is made of them; the rest is today's.
    assert shop.values("select n from $numbers order by 1") == [1, 2]
    assert shop.values("select m from $doubled order by 1") == [2, 4]
    assert shop.values("select n from $aside order by 1") == [3, 9]
    assert shop.hidden() == []


def test_a_first_build_that_fails_publishes_nothing(numbers: Numbers) -> None:
    shop = numbers("n\n9\n", columns=column({"accepted_range": {"max_value": 5}}))
    assert shop.run("build", "given", "numbers") == 1
    assert "numbers" not in shop.names()
    assert shop.hidden() == []


def test_a_view_is_tested_before_it_is_published(numbers: Numbers) -> None:
    shop = numbers("n\n1\n", columns=column({"accepted_range": {"max_value": 5}}))
    shop.model("numbers", "{{ config(materialized='view') }}\nselect n from {{ ref('given') }}")
    shop.build("given", "numbers")
    shop.model(
        "numbers", "{{ config(materialized='view') }}\nselect n * 9 as n from {{ ref('given') }}"
    )
    assert shop.run("build", "given", "numbers") == 1
    assert shop.values("select n from $numbers") == [1]
    assert shop.hidden() == []


def test_run_does_not_test(numbers: Numbers) -> None:
    shop = numbers("n\n9\n", columns=column({"accepted_range": {"max_value": 5}}))
    assert shop.run("run", "given", "numbers") == 0
    assert shop.values("select n from $numbers") == [9]
    assert shop.tests == {}


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({}, "fail"),
        ({"severity": "warn"}, "warn"),
        ({"severity": "WARN"}, "warn"),
        ({"config": {"severity": "warn"}}, "warn"),
        ({"enabled": False}, None),
        ({"enabled": "{{ 1 == 2 }}"}, None),
        # Two rows are above 5.
        ({"error_if": "> 2"}, "warn"),
        ({"error_if": "> 2", "warn_if": ">2"}, "pass"),
        ({"error_if": ">= 2"}, "fail"),
        ({"severity": "warn", "warn_if": "> 2"}, "pass"),
        ({"where": "n < 5"}, "pass"),
        ({"where": "n > 5"}, "fail"),
    ],
)
def test_settings(duckdb_shop: BuildShop, settings: dict[str, object], status: str | None) -> None:
    spec = {"accepted_range": {"max_value": 5, "description": "At most five.", **settings}}
    shop = numbers_of(duckdb_shop, "n\n1\n6\n7\n", columns=column(spec))
    assert shop.run("build", "given", "numbers") == (1 if status == "fail" else 0)
    found = shop.tests.get("accepted_range_numbers_n")
    assert (found and found.status) == status
    if found is not None and status in ("fail", "warn"):
        assert (found.failures, found.message) == (2, "At most five.")
        # The SELECT by hand reads what is published, and finds no row there.
        assert ("--store-failures" in found.detail) == (status == "fail")
    assert shop.finished.warned == (status == "warn")


def test_warn_error_counts_each_warning_once(duckdb_shop: BuildShop) -> None:
    shop = numbers_of(
        duckdb_shop,
        "n\n6\n",
        columns=column({"accepted_range": {"max_value": 5, "severity": "warn"}}),
    )
    assert shop.run("build", "given", "numbers", warn_error=True) == 1
    # The test and its model.
    assert (shop.finished.warned, shop.finished.failed) == (0, 2)
    assert "numbers" not in shop.names()


def test_fail_fast_stops_at_the_first_failure(duckdb_shop: BuildShop) -> None:
    shop = numbers_of(
        duckdb_shop, "n\n6\n", columns=column({"accepted_range": {"max_value": 5}}, "unique")
    )
    shop.model("aside", "select n from {{ ref('given') }}")
    shop.model("zoo", "select n from {{ ref('given') }}")
    assert shop.run("build", "given", "aside", "numbers", "zoo", fail_fast=True) == 1
    assert shop.statuses["aside"] == "success"
    assert shop.statuses["zoo"] == "skipped"
    assert "unique_numbers_n" not in shop.tests
    assert "an earlier failure stopped the run" in shop.said()


def test_stored_failures_hold_the_rows(numbers: Numbers) -> None:
    shop = numbers("n\n1\n6\n7\n", columns=column({"accepted_range": {"max_value": 5}}))
    assert shop.run("build", "given", "numbers", store_failures=True) == 1
    table = "seg_sql_failures_accepted_range_numbers_n"
    assert shop.values(f"select n from ${table} order by 1") == [6, 7]
    assert table in shop.tests["accepted_range_numbers_n"].detail
    comment = shop.existing()[table].comment
    assert comment is not None
    assert comment.endswith(f"seg-sql:shop:{table}")
    # A test that passes again leaves nothing behind.
    shop.seed("given", "n\n1\n")
    shop.build("given", "numbers", store_failures=True)
    assert table not in shop.names()
    assert shop.hidden() == []


def test_stored_failures_replace_no_table_of_others(numbers: Numbers) -> None:
    shop = numbers("n\n6\n", columns=column({"accepted_range": {"max_value": 5}}))
    table = "seg_sql_failures_accepted_range_numbers_n"
    shop.execute(f"create table {shop.schema_}.{table} (a integer)")
    with pytest.raises(SegSqlError, match="was not made by seg-sql"):
        shop.run("build", "given", "numbers", store_failures=True)
    shop.build("given")


def test_the_test_command_stores_failures_too(numbers: Numbers) -> None:
    shop = numbers("n\n6\n")
    shop.build("given", "numbers")
    shop.schema(
        models=[{"name": "numbers", "columns": column({"accepted_range": {"max_value": 5}})}]
    )
    assert shop.run("test", "numbers", store_failures=True) == 1
    assert shop.values("select n from $seg_sql_failures_accepted_range_numbers_n") == [6]
    # What is published stays: `test` only looks.
    assert shop.values("select n from $numbers") == [6]


def test_a_singular_test_runs_after_the_last_model_it_reads(numbers: Numbers) -> None:
    shop = numbers("n\n1\n2\n")
    shop.model("other", "select n + 1 as n from {{ ref('numbers') }}")
    shop.singular(
        "no_common_number",
        """
        {{ config(description='The two share no number.') }}
        select numbers.n
        from {{ ref('numbers') }} as numbers
        join {{ ref('other') }} as other on other.n = numbers.n;
        """,
    )
    assert shop.run("build", "given", "numbers", "other") == 1
    # 2 is in both; numbers is published by then, other is not.
    assert shop.tests["no_common_number"].failures == 1
    assert shop.tests["no_common_number"].message == "The two share no number."
    assert shop.statuses["numbers"] == "success"
    assert shop.statuses["other"] == "error"
    # On its own it needs what it reads: `numbers` alone does not run it.
    shop.build("given", "numbers")
    assert "no_common_number" not in shop.tests


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("severity='warm'", r"sql/tests/odd\.sql: config\(severity=\.\.\.\).*'error' or 'warn'"),
        ("sevrity='warn'", r"no config 'sevrity'.\n  Did you mean 'severity'\?"),
        ("error_if='many'", r"config\(error_if=\.\.\.\)"),
    ],
)
def test_config_of_a_singular_test_is_checked(
    duckdb_shop: BuildShop, config: str, said: str
) -> None:
    shop = duckdb_shop
    shop.model("one", "select 1 as n")
    shop.singular(
        "odd", f"{{{{ config({config}) }}}}\nselect n from {{{{ ref('one') }}}} where n = 2"
    )
    with pytest.raises(SegSqlError, match=said):
        shop.run("build", "one")


def test_a_singular_test_of_an_unknown_model_is_an_error(duckdb_shop: BuildShop) -> None:
    shop = duckdb_shop
    shop.model("one", "select 1 as n")
    shop.singular("odd", "select n from {{ ref('onee') }}")
    with pytest.raises(SegSqlError, match=r"sql/tests/odd\.sql.*'onee'.*\n  Did you mean 'one'"):
        shop.run("build", "one")


def test_a_file_that_is_neither_kind_of_test_is_an_error(duckdb_shop: BuildShop) -> None:
    """It would never run, and nobody would know."""
    shop = duckdb_shop
    shop.model("one", "select 1 as n")
    shop.singular("odd", "select 1 as n where 1 = 2")
    with pytest.raises(SegSqlError, match=r"sql/tests/odd\.sql: The test reads no model\."):
        shop.run("build", "one")


def test_a_test_the_database_refuses_shows_where(numbers: Numbers) -> None:
    shop = numbers("n\n1\n")
    shop.singular("odd", "select n\nfrom {{ ref('numbers') }}\nwhere nn = 1\n")
    assert shop.run("build", "given", "numbers") == 1
    found = shop.tests["odd"]
    assert found.status == "error"
    assert found.message.startswith("sql/tests/odd.sql: ")
    assert "nn" in found.message
    # Line 3 of the file, the word at its sixth character; the relation as a person knows it.
    lines = found.detail.splitlines()
    assert lines[1:] == ["    3 | where nn = 1", "      |       ^"]
    assert "seg_tmp_" not in found.detail
    assert "seg_tmp_" not in shop.compiled("tests/odd.sql")


def test_tests_of_an_inlined_model_stop_what_reads_it(numbers: Numbers) -> None:
    shop = numbers("n\n1\n6\n")
    shop.model(
        "inlined", "{{ config(materialized='ephemeral') }}\nselect n from {{ ref('numbers') }}"
    )
    shop.model("reader", "select n from {{ ref('inlined') }} as inlined")
    shop.model("aside", "select n from {{ ref('numbers') }}")
    shop.schema(
        models=[{"name": "inlined", "columns": column({"accepted_range": {"max_value": 5}})}]
    )
    assert shop.run("build", "given+") == 1
    assert shop.tests["accepted_range_inlined_n"].failures == 1
    assert shop.statuses == {
        "given": "success",
        "numbers": "success",
        "aside": "success",
        "reader": "skipped",
    }
    assert "inlined failed" in shop.said()


def test_the_packaged_tests_find_a_broken_segment_map(shop: BuildShop) -> None:
    """A map that leaves a triple out, and one that gives it two segments, stop the segments."""
    header = "r_score,f_score,m_score,segment,segment_order,description,suggested_action"
    shop.seed("rfm_map_mine", f"{header}\n1,,,Low,2,,\n2,,,Low,2,,\n")
    shop.write(models={"rfm": {"segment_map": "mine", "bins": 3}})
    assert shop.run("build", *BASE) == 1
    assert shop.statuses["rfm_segment_map"] == "error"
    assert shop.statuses["rfm"] == "skipped"
    assert shop.statuses["customer_lifecycle"] == "success"
    assert "does not give every triple" in shop.said()
