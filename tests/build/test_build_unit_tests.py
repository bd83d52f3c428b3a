"""Unit tests: given rows in, expected rows out, before anything is built."""

from __future__ import annotations

from typing import Any

import pytest
from build_shop import BASE, BuildShop

from seg_sql import commands
from seg_sql.session import Settings


def test_all_packaged_unit_tests_pass(shop: BuildShop) -> None:
    """In `seg-sql test`, also before anything is built; the data tests wait for tables."""
    shop.load([("eve", "ann")], ("customer_id", "merged_into"), name="map")
    shop.load([("bob", "2020-01-01")], ("customer_id", "first_order_date"), name="customers")
    shop.write(
        inputs={
            "order_lines": {"relation": shop.raw("raw")},
            "customer_map": {"relation": shop.raw("map")},
            "customers": {"relation": shop.raw("customers")},
        }
    )
    settings = Settings(project_dir=shop.folder, profiles_dir=shop.folder)
    listed = set(commands.listing(settings, select=BASE, resource_type=["unit_test"]))
    assert len(listed) >= 14
    assert shop.run("test", *BASE) == 1
    assert "so that their data tests cannot run" in shop.said()
    found = [event for event in shop.tests.values() if event.kind == "unit"]
    assert {event.name for event in found} == listed
    assert {event.status for event in found} == {"pass"}
    shop.build(*BASE)
    # They passed, and nothing has changed since: the build did not run them again, and says so.
    assert f"{len(listed)} unit tests passed before and are not run again." in shop.said()
    assert {event.kind for event in shop.tests.values()} == {"data"}
    assert shop.run("test", *BASE) == 0


def doubling(shop: BuildShop, expected: str = "id,m\n1,2\n2,5\n", **unit: Any) -> BuildShop:
    """A model that doubles, and a unit test of it; of 2.5 it makes 5."""
    shop.seed("given", "id,n\n1,7\n")
    shop.model("m", "select id, n * 2 as m from {{ ref('given') }}")
    shop.model("below", "select id from {{ ref('m') }}")
    rows = [{"input": "ref('given')", "format": "csv", "rows": "id,n\n1,1\n2,2.5\n"}]
    shop.schema(
        unit_tests=[
            {
                "name": "doubles",
                "model": "m",
                "given": rows,
                "expect": {"format": "csv", "rows": expected},
                **unit,
            }
        ]
    )
    return shop


def unit(shop: BuildShop) -> Any:
    return shop.tests["m::doubles"]


def test_a_wrong_expectation_shows_the_rows_that_differ(shop: BuildShop) -> None:
    doubling(shop, "id,m\n1,2\n2,6\n3,\n", description="By hand.")
    assert shop.run("test", "m") == 1
    assert unit(shop).status == "fail"
    assert unit(shop).message == "By hand."
    # Row 1 agrees and is not shown; of 2 the one expects 6 and gets 5; 3 is not there.
    assert unit(shop).detail.splitlines() == [
        "  id | m",
        "- 2  | 6",
        "- 3  | NULL",
        "+ 2  | 5",
    ]
    done = shop.command("test", "-s", "m")
    assert done.returncode == 1
    assert "FAIL unit test m::doubles" in done.stderr
    assert "+ 2  | 5" in done.stderr


def test_a_failing_unit_test_stops_its_model(shop: BuildShop) -> None:
    doubling(shop).build("given+")
    assert shop.values("select m from $m") == [14]
    shop.model("m", "select id, n * 3 as m from {{ ref('given') }}")
    assert shop.run("build", "given+") == 1
    assert unit(shop).status == "fail"
    assert shop.statuses == {"given": "success", "m": "skipped", "below": "skipped"}
    assert "its unit test failed" in shop.said()
    assert shop.values("select m from $m") == [14]
    # It stops it in the next build too, although the file has not changed since.
    assert shop.run("build", "given+") == 1
    assert unit(shop).status == "fail"
    assert shop.values("select m from $m") == [14]
    # And after a build that ran no tests, or did not choose the model.
    shop.build("given")
    assert shop.run("build", "given+") == 1


def test_a_build_without_tests_leaves_them_to_the_next(duckdb_shop: BuildShop) -> None:
    shop = duckdb_shop
    doubling(shop).build("given+")
    shop.model("m", "select id, n * 3 as m from {{ ref('given') }}")
    assert shop.run("run", "given+") == 0
    assert shop.values("select m from $m") == [21]
    assert shop.run("build", "given+") == 1
    assert unit(shop).status == "fail"


def test_what_is_inlined_is_tested_again(duckdb_shop: BuildShop) -> None:
    shop = duckdb_shop
    doubling(shop)
    shop.model("factor", "{{ config(materialized='ephemeral') }}\nselect 2 as f")
    shop.model(
        "m",
        "select id, n * f as m from {{ ref('given') }} cross join {{ ref('factor') }} as factor",
    )
    shop.build("given+", "factor")
    shop.model("factor", "{{ config(materialized='ephemeral') }}\nselect 3 as f")
    assert shop.run("build", "given+", "factor") == 1
    assert unit(shop).status == "fail"


def test_each_engine_is_tested_for_itself(shop: BuildShop) -> None:
    """What passed on one engine has not passed on the other."""
    doubling(shop).build("m", "given")
    passed = shop.artifact("manifest.json")["nodes"]["model.shop.m"]["unit_tests_passed"]
    assert list(passed) == ["postgres" if shop.is_postgres else "duckdb"]


def test_the_tolerance_is_relative(duckdb_shop: BuildShop) -> None:
    shop = duckdb_shop
    doubling(shop, "id,m\n1,2\n2,5.004\n", tolerance=0.001)
    assert shop.run("test", "m") == 1  # not built, but
    assert unit(shop).status == "pass"
    doubling(shop, "id,m\n1,2\n2,5.006\n", tolerance=0.001)
    shop.run("test", "m")
    assert unit(shop).status == "fail"


def test_given_rows_stand_where_a_relation_does(shop: BuildShop) -> None:
    """No ref needs an alias, and a CTE of the model's own hides none, whatever its name.

    By hand: of 1 and 2.5 the CTE `given` keeps 2.5, the ephemeral model doubles both, and both
    are counted: 2.5 + (2 + 5) + 2 + 2.
    """
    doubling(shop, "m\n13.5\n")
    shop.file(
        "macros/rows_of.sql",
        "{% macro rows_of(relation) %}(select count(*) from {{ relation }}){% endmacro %}",
    )
    ephemeral = "{{ config(materialized='ephemeral') }}\n"
    shop.model("twice", ephemeral + "select n * 2 as n from {{ ref('given') }}")
    shop.model(
        "m",
        """
        with given as (select n from {{ ref('given') }} where n > 1),
        doubled as (select sum(n) as n from {{ ref('twice') }}),
        plain as (select count(*) as rows_read from {{ ref('given') }})
        select given.n + doubled.n + {{ rows_of(ref('given')) }} + rows_read as m
        from given cross join doubled cross join plain -- the last line
        """,
    )
    shop.run("test", "m")
    assert unit(shop).status == "pass", f"{unit(shop).message} {unit(shop).detail}"


def test_codes_keep_their_zeros(shop: BuildShop) -> None:
    shop.seed("given", "code\n1\n")
    shop.model("m", "select code, 'x' || code as x from {{ ref('given') }}")
    shop.schema(
        unit_tests=[
            {
                "name": "doubles",
                "model": "m",
                "given": [{"input": "ref('given')", "format": "csv", "rows": "code\n007\n12\n"}],
                "expect": {"format": "csv", "rows": "code,x\n007,x007\n12,x12\n"},
            }
        ]
    )
    shop.run("test", "m")
    assert unit(shop).status == "pass", unit(shop).detail


def test_sql_of_a_unit_test_that_fails_is_kept(shop: BuildShop) -> None:
    doubling(shop, "id,m\n1,3\n")
    shop.run("test", "m")
    text = shop.compiled("unit_tests/m/doubles.sql")
    assert unit(shop).compiled.endswith("target/compiled/sql/unit_tests/m/doubles.sql")
    with shop.engine() as engine:
        assert sorted(engine.fetch(text).rows) == [(1, 2), (2, 5)]


def test_a_unit_test_that_the_database_refuses(shop: BuildShop) -> None:
    doubling(shop)
    shop.model("m", "select id,\n    nn * 2 as m\nfrom {{ ref('given') }}")
    assert shop.run("build", "given", "m") == 1
    assert unit(shop).status == "error"
    assert "nn" in unit(shop).message
    assert "    nn * 2 as m" in unit(shop).detail
    assert shop.statuses["m"] == "skipped"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"given": []}, "reads ref('given'), for which the unit test gives no rows"),
    (
        {"given": [{"input": "ref('given')", "rows": []}, {"input": "ref('rfm')", "rows": []}]},
        "gives rows for ref('rfm'), which m does not read",
    ),
    ({"given": [{"input": "given", "rows": []}]}, "neither ref('...') nor input('...')"),
    ({"given": [{"input": "ref('given')", "fixture": "no.csv"}]}, "no.csv cannot be read"),
    (
        {"given": [{"input": "ref('given')", "format": "csv", "rows": "a,b\n1\n"}]},
        "The row has 1 fields, the header 2.",
    ),
    ({"overrides": {"vars": {"refunds": "maybe"}}}, "overrides: vars: refunds: "),
    ({"overrides": {"options": {"rfm": {"binz": 3}}}}, "Did you mean 'bins'?"),
    ({"overrides": {"options": {"m": {"bins": 3}}}}, "The model m has no options to override."),
    ({"expect": {"rows": [{"mm": 1}]}}, "yields no column 'mm'.\n  Did you mean 'm'?"),
]


@pytest.mark.parametrize(("wrong", "said"), WRONG, ids=[said[:24] for _, said in WRONG])
def test_a_wrong_unit_test_is_one_error_with_its_line(
    duckdb_shop: BuildShop, wrong: dict[str, Any], said: str
) -> None:
    shop = doubling(duckdb_shop, **wrong)
    assert shop.run("build", "given", "m") == 1
    assert unit(shop).status == "error"
    assert said in unit(shop).message
    assert "sql/models/schema.yml:" in unit(shop).message
    assert shop.statuses == {"given": "success", "m": "skipped"}


def test_fail_fast_stops_at_a_unit_test(duckdb_shop: BuildShop) -> None:
    shop = duckdb_shop
    doubling(shop, "id,m\n1,3\n")
    shop.model("aside", "select 1 as n")
    assert shop.run("build", "given", "m", "aside", fail_fast=True) == 1
    assert set(shop.statuses.values()) == {"skipped"}


def test_fail_fast_of_the_test_command(duckdb_shop: BuildShop) -> None:
    shop = duckdb_shop
    shop.model("a", "select 9 as n")
    shop.model("b", "select 9 as n")
    shop.build("a", "b")
    test = {"accepted_range": {"max_value": 5}}
    shop.schema(
        models=[{"name": name, "columns": [{"name": "n", "data_tests": [test]}]} for name in "ab"]
    )
    assert shop.run("test", "a", "b", fail_fast=True) == 1
    assert [name for name, event in shop.tests.items() if event.status == "fail"] == [
        "accepted_range_a_n"
    ]


def test_given_rows_name_the_attributes_of_an_input(shop: BuildShop) -> None:
    """By hand: Bonn 10 + 5; the number of a till is one in the input, and so it is given."""
    lines = [("ann", "1", "2026-01-05", 4.0, "Bonn", 7)]
    columns = ("customer_id", "order_id", "ordered_at", "amount", "Filiale", "till")
    shop.load(lines, columns, types={"till": "integer", "amount": "double precision"})
    raw = {"relation": shop.raw("raw"), "attributes": ["Filiale", "till"]}
    shop.write(inputs={"order_lines": raw})
    shop.model(
        "branches",
        'select "Filiale" as branch, sum(amount) as revenue, max(till) + 1 as next_till'
        " from {{ ref('order_lines_clean') }} as lines group by \"Filiale\"",
    )

    def given(**more: Any) -> None:
        rows = [{"Filiale": "Bonn", "till": 1, "amount": each, **more} for each in (10.0, 5.0)]
        shop.schema(
            unit_tests=[
                {
                    "name": "sums",
                    "model": "branches",
                    "given": [{"input": "ref('order_lines_clean')", "rows": rows}],
                    "expect": {"rows": [{"branch": "Bonn", "revenue": 15.0, "next_till": 2}]},
                }
            ]
        )

    given()
    shop.build("+branches")
    assert shop.tests["branches::sums"].status == "pass"
    assert shop.values("select branch from $branches") == ["Bonn"]
    given(filial="Bonn")
    assert shop.run("test", "branches") == 1
    said = shop.tests["branches::sums"].message
    assert "has no column 'filial'" in said and "Filiale" in said
