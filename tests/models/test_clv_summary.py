"""The summary that the CLV models read: by hand, and against a plain reading of the rules."""

from __future__ import annotations

import datetime
import math
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from shop import Shop, by

from seg_sql.events import Said

LINES = [
    # Two orders on 8 January are one purchase of 12.
    ("ann", "a1", "2025-01-01 09:00:00", "mug", 1, 10.0),
    ("ann", "a2", "2025-01-08 09:00:00", "mug", 1, 5.0),
    ("ann", "a3", "2025-01-08 18:00:00", "mug", 1, 7.0),
    ("ann", "a4", "2025-01-15 09:00:00", "mug", 1, 20.0),
    # A day of refunds only is no purchase.
    ("bob", "b1", "2025-06-30 09:00:00", "mug", 1, 30.0),
    ("bob", "b2", "2025-07-10 09:00:00", "mug", -1, 30.0),
    # A refund on a day of more purchases lowers its value; the second purchase is in the holdout.
    ("cat", "c1", "2025-03-01 09:00:00", "mug", 1, 50.0),
    ("cat", "c2", "2025-03-01 10:00:00", "mug", -1, 20.0),
    ("cat", "c3", "2025-09-27 09:00:00", "mug", 1, 40.0),
    # A purchase of no value counts.
    ("dan", "d1", "2025-02-01 09:00:00", "mug", 1, 10.0),
    ("dan", "d2", "2025-05-12 09:00:00", "mug", 1, 0.0),
    # More was given back than bought: no purchase, no row.
    ("eve", "e1", "2025-05-01 09:00:00", "mug", 1, 5.0),
    ("eve", "e2", "2025-05-01 10:00:00", "mug", -2, 5.0),
    # First seen after the calibration end, which is 2025-01-01 + 2/3 of 364 days: 2025-08-31.
    ("fay", "f1", "2025-10-01 09:00:00", "mug", 1, 9.0),
]
END = datetime.date(2025, 8, 31)


def said_of_refunds(shop: Shop) -> list[Said]:
    return [each for each in shop.log.of(Said) if each.text.startswith("clv counts purchases")]


def summary(shop: Shop, **variables: Any) -> dict[Any, Any]:
    shop.write(vars={"as_of": "2026-01-01", **variables})
    shop.build("+clv_customer_summary")
    return by(shop.rows("clv_customer_summary"), "customer_id")


def test_what_clv_counts_is_set_beside_what_is_kept(shop: Shop) -> None:
    """Of 126 that is kept, bob's refund of 30 and eve's day of -5 are no part of a purchase."""
    shop.load(LINES)
    summary(shop)
    [said] = said_of_refunds(shop)
    assert said.text == (
        "clv counts purchases of 161: refunds of 35 on days without a purchase (27.8% of what is"
        " kept) are not taken off."
    )
    assert said.level == "warn"
    assert "`models: {clv: {margin: 0.78}}`" in str(said.hint)  # 126 of 161
    # With 600 more, 35 of 726 is under 5 %: told, and no warning.
    gus = "'gus', 'g1', '2025-10-01', 'mug', 1, 600"
    shop.execute(f"insert into {shop.raw('raw')} values ({gus})")
    summary(shop)
    assert [each.level for each in said_of_refunds(shop)] == ["info"]
    summary(shop, refunds="drop")
    assert said_of_refunds(shop) == []


def test_summary_by_hand(shop: Shop) -> None:
    shop.load(LINES)
    rows = summary(shop)
    assert set(rows) == {"ann", "bob", "cat", "dan", "fay"}
    found = {
        name: (row["frequency"], row["recency"], row["age"], row["monetary_value"])
        for name, row in rows.items()
    }
    assert found == {
        "ann": (2, pytest.approx(2), pytest.approx(52), pytest.approx((12 + 20) / 2)),
        "bob": (0, 0, pytest.approx(184 / 7), None),
        "cat": (1, pytest.approx(210 / 7), pytest.approx(305 / 7), pytest.approx(40)),
        "dan": (1, pytest.approx(100 / 7), pytest.approx(333 / 7), 0),
        "fay": (0, 0, pytest.approx(91 / 7), None),
    }
    values = {name: row["historic_value"] for name, row in rows.items()}
    assert values == {"ann": 42, "bob": 30, "cat": 70, "dan": 10, "fay": 9}
    assert {row["time_unit"] for row in rows.values()} == {"week"}
    assert {row["observation_end"] for row in rows.values()} == {datetime.date(2025, 12, 31)}


def test_holdout_by_hand(shop: Shop) -> None:
    shop.load(LINES)
    rows = summary(shop)
    assert {row["calibration_end"] for row in rows.values()} == {END}
    assert rows["fay"]["calibration_frequency"] is None
    assert rows["fay"]["holdout_frequency"] is None
    cat = rows["cat"]
    assert (cat["calibration_frequency"], cat["calibration_recency"]) == (0, 0)
    assert cat["calibration_age"] == pytest.approx(183 / 7)
    assert cat["calibration_monetary_value"] is None
    assert (cat["holdout_frequency"], cat["holdout_value"]) == (1, 40)
    ann = rows["ann"]
    assert (ann["calibration_frequency"], ann["holdout_frequency"]) == (2, 0)
    assert ann["calibration_monetary_value"] == pytest.approx(16)
    # The holdout has 122 days; as many before the calibration end begin on 2 May.
    assert {name: row["last_period_frequency"] for name, row in rows.items()} == {
        "ann": 0, "bob": 0, "cat": 0, "dan": 1, "fay": None,
    }  # fmt: skip
    # All of it lies in the last 52 weeks, which begin on 2 January; first purchases do not count.
    assert {name: row["recent_frequency"] for name, row in rows.items()} == {
        "ann": 2, "bob": 0, "cat": 1, "dan": 1, "fay": 0,
    }  # fmt: skip


@pytest.mark.parametrize(("unit", "days"), [("day", 1), ("month", 30.4375)])
def test_the_unit_scales_times_and_nothing_else(shop: Shop, unit: str, days: float) -> None:
    shop.load(LINES)
    cat = summary(shop, clv_time_unit=unit)["cat"]
    assert cat["time_unit"] == unit
    assert cat["recency"] == pytest.approx(210 / days, rel=1e-12)
    assert cat["age"] == pytest.approx(305 / days, rel=1e-12)
    assert cat["calibration_age"] == pytest.approx(183 / days, rel=1e-12)
    assert (cat["frequency"], cat["monetary_value"]) == (1, 40)


def test_the_calibration_end_is_that_of_the_model_clv(shop: Shop) -> None:
    shop.load(LINES)
    shop.write(vars={"as_of": "2026-01-01"}, models={"clv": {"calibration_end": "2025-09-27"}})
    shop.build("+clv_customer_summary")
    rows = by(shop.rows("clv_customer_summary"), "customer_id")
    # The calibration end is inclusive.
    assert rows["cat"]["calibration_frequency"] == 1
    assert rows["cat"]["holdout_frequency"] == 0


def test_no_calibration_under_26_weeks(shop: Shop) -> None:
    shop.load([line for line in LINES if line[2] < "2025-07"])
    shop.write(vars={"as_of": "2025-07-01"})
    shop.build("+clv_customer_summary")
    # 2025-01-01 to 2025-06-30 are 180 days.
    for row in shop.rows("clv_customer_summary"):
        assert row["calibration_end"] is None
        assert row["calibration_frequency"] is None


def test_many_orders_on_one_day_over_many_years(shop: Shop) -> None:
    """Random orders and refunds of up to 60 a customer in five years, read by the rules."""
    random = np.random.default_rng(7)
    lines: list[tuple[Any, ...]] = []
    first = datetime.date(2020, 1, 1)
    for customer in range(40):
        for number in range(int(random.integers(1, 60))):
            day = first + datetime.timedelta(days=int(random.integers(0, 1800)))
            quantity = -1 if random.random() < 0.1 and customer % 2 else 1
            lines.append(
                (
                    f"c{customer:02d}",
                    f"{customer}-{number}",
                    f"{day} 12:00:00",
                    "mug",
                    quantity,
                    round(float(random.uniform(1, 50)), 2),
                )
            )
            if random.random() < 0.1:
                lines.append((f"c{customer:02d}", f"{customer}-{number}x", *lines[-1][2:]))
    shop.load(lines)
    shop.write(vars={"as_of": "2025-01-01"})
    shop.build("+clv_customer_summary")
    rows = by(shop.rows("clv_customer_summary"), "customer_id")

    days: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for customer, _, at, _, quantity, price in lines:
        days[customer][at[:10]].append(quantity * price)
    assert len(rows) > 30
    end = rows["c00"]["calibration_end"]
    for customer, by_day in days.items():
        worth = {
            datetime.date.fromisoformat(day): math.fsum(amounts)
            for day, amounts in by_day.items()
            if min(amounts) >= 0 or round(math.fsum(amounts), 6) > 0
        }
        if not worth:
            assert customer not in rows
            continue
        row, (start, *repeats) = rows[customer], sorted(worth)
        assert row["frequency"] == len(repeats)
        assert row["recency"] == pytest.approx((max(worth) - start).days / 7, rel=1e-12)
        mean = math.fsum(worth[day] for day in repeats) / len(repeats) if repeats else None
        assert row["monetary_value"] == (mean if mean is None else pytest.approx(mean, rel=1e-9))
        if start <= end:
            later = [day for day in worth if day > end]
            assert row["holdout_frequency"] == len(later)
            value = math.fsum(worth[day] for day in later)
            assert row["holdout_value"] == pytest.approx(value, rel=1e-9, abs=1e-9)
            assert row["calibration_frequency"] == len(worth) - len(later) - 1


def test_a_shop_without_repeat_purchases_is_told_so(shop: Shop) -> None:
    """One clear sentence, and what to do; the other tables are there."""
    shop.load(
        [(f"c{n}", f"o{n}", f"2025-0{1 + n % 9}-03 10:00:00", "mug", 1, 5.0) for n in range(30)]
    )
    shop.write()
    assert shop.run("build", "+clv", "+rfm_segments") == 1
    assert "No repeat purchases: nobody has bought on two days" in shop.said()
    assert "enabled: false" in shop.said()
    assert len(shop.rows("rfm")) == 30
    shop.write(models={"clv": {"enabled": False}})
    shop.build("+clv_customer_summary", "+rfm_segments")
    assert not [each for each in shop.log.of(Said) if each.level == "warn"]
