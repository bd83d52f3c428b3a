"""Builds without production data: no rows at all, or a share of the customers."""

from __future__ import annotations

from pathlib import Path

import pytest
from build_shop import BASE, BuildShop, made

from seg_sql.inputs import Limits
from seg_sql.profiles import DuckDBTarget, PostgresTarget

MANY = [
    (f"c{customer}", f"o{customer}-{order}", f"2026-01-{1 + order:02}", "mug", 1, 2.0)
    for customer in range(2000)
    for order in range(1 + customer % 3)
]


def test_empty_checks_types_and_reads_nothing(shop: BuildShop) -> None:
    shop.model("mine", "select customer_id, monetary from {{ ref('rfm') }}")
    shop.build(*BASE, "mine", limits=Limits(empty=True))
    assert "error" not in shop.statuses.values()
    assert shop.values("select count(*) from $rfm") == [0]
    assert shop.values("select count(*) from $order_lines_clean") == [0]
    assert not [name for name in shop.tests if name.startswith("not_empty")]
    # A wrong type is found without a row.
    shop.model("mine", "select customer_id + monetary as x from {{ ref('rfm') }}")
    assert shop.run("build", "mine", limits=Limits(empty=True)) == 1


def test_empty_needs_no_line_in_the_input(shop: BuildShop) -> None:
    shop.load([], name="nothing")
    shop.write(inputs={"order_lines": {"relation": shop.raw("nothing")}})
    shop.build(*BASE, limits=Limits(empty=True))
    assert "(tomorrow, as no order line is read)" in shop.said()


def test_a_sample_takes_whole_customers(shop: BuildShop) -> None:
    shop.load(MANY, name="many")
    shop.write(inputs={"order_lines": {"relation": shop.raw("many")}})
    shop.build("+rfm", limits=Limits(sample=0.1))
    chosen = shop.rows("rfm")
    # 10 % of 2,000; three standard deviations are 3 * sqrt(2000 * 0.1 * 0.9) = 40.
    assert 160 <= len(chosen) <= 240
    for row in chosen:
        assert row["frequency"] == 1 + int(row["customer_id"][1:]) % 3
    # A larger sample holds the smaller one.
    shop.build("+rfm", limits=Limits(sample=0.2))
    assert {row["customer_id"] for row in chosen} < {row["customer_id"] for row in shop.rows("rfm")}


def test_both_engines_take_the_same_customers(
    tmp_path: Path, duckdb_target: DuckDBTarget, postgres_target: PostgresTarget
) -> None:
    samples = []
    for name, target in (("duckdb", duckdb_target), ("postgres", postgres_target)):
        shop = made(BuildShop(tmp_path / name, target))
        shop.load(MANY, name="many")
        shop.write(inputs={"order_lines": {"relation": shop.raw("many")}})
        shop.build("order_lines_clean", limits=Limits(sample=0.05))
        samples.append(set(shop.values("select distinct customer_id from $order_lines_clean")))
    assert samples[0] == samples[1]
    assert len(samples[0]) > 50


def test_a_sample_finds_the_column_in_other_letters(shop: BuildShop) -> None:
    """DuckDB finds CustomerID under customerid; the sample must not read everything then."""
    shop.load(MANY, name="many")
    shop.write(
        inputs={
            "order_lines": {
                "relation": shop.raw("many"),
                "columns": {
                    "customer_id": "Customer_ID",
                    "order_id": "order_id",
                    "ordered_at": "ordered_at",
                    "quantity": "quantity",
                    "unit_price": "unit_price",
                },
            }
        }
    )
    shop.build("order_lines_clean", limits=Limits(sample=0.1))
    [customers] = shop.values("select count(distinct customer_id) from $order_lines_clean")
    assert 160 <= customers <= 240


def test_retry_keeps_the_sample(shop: BuildShop) -> None:
    shop.load(MANY, name="many")
    shop.write(inputs={"order_lines": {"relation": shop.raw("many")}})
    shop.model("mine", "select nothing from {{ ref('rfm') }}")
    assert shop.run("build", "+mine", limits=Limits(sample=0.1)) == 1
    shop.model("mine", "select customer_id from {{ input('order_lines') }} as lines")
    assert shop.run("retry") == 0
    [lines] = shop.values("select count(*) from $mine")
    assert 0 < lines < 1000


@pytest.mark.parametrize("share", ["0", "1.5", "x"])
def test_a_share_is_between_zero_and_one(duckdb_shop: BuildShop, share: str) -> None:
    done = duckdb_shop.command("build", "--sample", share)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
