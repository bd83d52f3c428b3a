"""materialized='incremental': new rows replace those with an equal key, the others stay."""

from __future__ import annotations

import pytest
from build_shop import LINES, BuildShop

from seg_sql.errors import ConfigError
from seg_sql.inputs import Limits

# The days of order lines; a line may come two days late.
DAYS = """
    {{ config(materialized='incremental', unique_key='order_date') }}

    select order_date, count(*) as lines, sum(amount) as amount
    from {{ ref('order_lines_clean') }} as order_lines_clean
    {% if is_incremental() %}
    where order_date >= (
        select {{ seg_sql.add_days('max(order_date)', -2) }}
        from {{ this }} as days
    )
    {% endif %}
    group by order_date
"""


@pytest.fixture
def days(shop: BuildShop) -> BuildShop:
    shop.load(LINES[:3])
    shop.model("days", DAYS)
    shop.build("+days")
    return shop


def amounts(shop: BuildShop) -> dict[str, float]:
    return {str(row["order_date"]): row["amount"] for row in shop.rows("days")}


def add(shop: BuildShop, *lines: tuple[str, float]) -> None:
    for day, price in lines:
        shop.execute(
            f"insert into {shop.raw('raw')} (customer_id, order_id, ordered_at, item_id,"
            f" quantity, unit_price) values ('zoe', '{day}', '{day}', 'mug', 1, {price})"
        )


FIRST = {"2026-01-05": 9.0, "2026-01-15": 40.0, "2026-02-05": 3.0}


def test_late_rows_within_the_lookback(days: BuildShop) -> None:
    assert amounts(days) == FIRST
    # One line for a new day, one that is two days late, and one that is too late to be seen.
    add(days, ("2026-02-06", 7), ("2026-02-03", 5), ("2026-01-15", 100))
    days.build("+days")
    assert amounts(days) == {**FIRST, "2026-02-03": 5.0, "2026-02-06": 7.0}
    # A day of which more lines have come is replaced, not added to.
    add(days, ("2026-02-05", 2))
    days.build("+days")
    assert amounts(days) == {**FIRST, "2026-02-03": 5.0, "2026-02-05": 5.0, "2026-02-06": 7.0}
    days.build("+days", full_refresh=True)
    assert amounts(days)["2026-01-15"] == 140.0
    assert days.hidden() == []


def test_tests_look_at_the_whole_table(days: BuildShop) -> None:
    """A row that stays can break a rule as well; then nothing of the table has changed."""
    days.schema(
        models=[
            {
                "name": "days",
                "data_tests": [{"row_count_between": {"max_value": 3}}],
                "columns": [{"name": "order_date", "data_tests": ["unique"]}],
            }
        ]
    )
    days.build("+days")
    add(days, ("2026-02-06", 7))
    assert days.run("build", "+days") == 1
    assert days.tests["row_count_between_days"].status == "fail"
    assert amounts(days) == FIRST
    assert days.hidden() == []


@pytest.mark.parametrize("publish", ["each", "together"])
def test_what_reads_it_reads_all_of_it(days: BuildShop, publish: str) -> None:
    days.write(publish=publish)
    days.model("total", "select sum(amount) as amount from {{ ref('days') }} as days")
    add(days, ("2026-02-06", 7))
    days.build("+total")
    assert days.values("select amount from $total") == [59.0]
    assert amounts(days) == {**FIRST, "2026-02-06": 7.0}
    assert days.hidden() == []


def test_no_rows_and_no_key(days: BuildShop) -> None:
    days.build("+days", limits=Limits(empty=True))
    assert amounts(days) == FIRST
    days.model("days", "{{ config(materialized='incremental') }} select 1 as x")
    with pytest.raises(ConfigError, match="needs a unique_key"):
        days.build("days")


def test_new_columns_come_and_lost_ones_need_a_full_refresh(days: BuildShop) -> None:
    days.model("days", DAYS.replace("count(*) as lines,", "count(*) as lines, 1 as new,"))
    add(days, ("2026-02-06", 7))
    days.build("+days")
    assert {str(r["order_date"]): r["new"] for r in days.rows("days")} == {
        **dict.fromkeys(FIRST),
        "2026-02-05": 1,
        "2026-02-06": 1,
    }
    days.model("days", DAYS.replace("count(*) as lines,", ""))
    assert days.run("build", "+days") == 1
    assert "--full-refresh" in days.said()
    days.build("+days", full_refresh=True)
    assert "lines" not in days.rows("days")[0]
