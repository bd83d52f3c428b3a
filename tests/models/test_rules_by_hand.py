"""RFM by hand: values on a cut, refits, windows, and less than everything."""

from __future__ import annotations

import datetime
import hashlib
from typing import Any

import pytest
from rfm_orders import COLUMNS, EVERYTHING, FIRST, buyers, cut_points, load, write_map
from shop import Shop

from seg_sql.inputs import Limits


@pytest.mark.parametrize(
    ("boundary", "scores"),
    [
        # as_of is 11 January: 9, 8, 7, 6, 5 days since the last order; cut at 6 and 8.
        ("right", {"c01": "111", "c02": "212", "c03": "222", "c04": "322", "c05": "333"}),
        ("left", {"c01": "112", "c02": "122", "c03": "222", "c04": "233", "c05": "333"}),
    ],
)
def test_a_value_on_a_cut_point(shop: Shop, boundary: str, scores: dict[str, str]) -> None:
    """Right: the cut belongs to the interval below it; left: to the one above."""
    load(shop, buyers(10, 20, 30, 30.4, 40))
    points = {"recency": [6, 8], "frequency": [2, 4], "monetary": [10, 30.4]}
    write_map(shop, "mine", [("", "", "", "Everybody", 1)])
    shop.write(
        vars={"as_of": "2026-01-11"},
        models={"rfm": {"cut_points": points, "boundary": boundary, "segment_map": "mine"}},
    )
    shop.build("+rfm")
    assert {row["customer_id"]: row["rfm_code"] for row in shop.rows("rfm")} == scores


@pytest.mark.parametrize("refit", ["always", "never", "monthly"])
def test_refit(shop: Shop, refit: str) -> None:
    """Five customers spend 10 to 50: cut at 18, 26, 34, 42. Five more spend 60 to 100."""
    load(shop, buyers(10, 20, 30, 40, 50))
    shop.write(models={"rfm": {"refit": refit}})
    shop.build("+rfm", vars={"as_of": "2026-01-11"})
    january = datetime.date(2026, 1, 11)

    def bounds() -> list[float]:
        return [cut_points(shop)["monetary", score]["upper_bound"] for score in range(1, 5)]

    def fitted() -> set[datetime.date]:
        assert {row["fitted_as_of"] for row in shop.rows("rfm")} == {
            row["fitted_as_of"] for row in cut_points(shop).values()
        }
        return {row["fitted_as_of"] for row in shop.rows("rfm")}

    old, new = [18, 26, 34, 42], [28, 46, 64, 82]  # type 7 of 10..50 and of 10..100
    assert (bounds(), fitted()) == (old, {january})

    load(shop, buyers(10, 20, 30, 40, 50, 60, 70, 80, 90, 100))
    shop.build("+rfm", vars={"as_of": "2026-01-31"})
    kept = refit != "always"
    assert bounds() == (old if kept else new)
    assert fitted() == ({january} if kept else {datetime.date(2026, 1, 31)})
    customers = [cut_points(shop)["monetary", score]["customers"] for score in range(1, 6)]
    assert customers == ([1, 1, 1, 1, 6] if kept else [2, 2, 2, 2, 2])

    shop.build("+rfm", vars={"as_of": "2026-02-01"})
    kept = refit == "never"
    assert bounds() == (old if kept else new)
    assert fitted() == ({january} if kept else {datetime.date(2026, 2, 1)})
    shop.build("+rfm", vars={"as_of": "2026-02-01"}, full_refresh=True)
    assert (bounds(), fitted()) == (new, {datetime.date(2026, 2, 1)})


def test_cut_points_that_do_not_fit_are_not_kept(shop: Shop) -> None:
    """Of other bins there is nothing to keep; fixed cut points are taken from the project."""
    load(shop, buyers(10, 20, 30, 40, 50))
    write_map(shop, "mine", [("", "", "", "Everybody", 1)])
    shop.write(models={"rfm": {"refit": "never"}})
    shop.build("+rfm", vars={"as_of": "2026-01-11"})

    shop.write(models={"rfm": {"refit": "never", "bins": 2, "segment_map": "mine"}})
    shop.build("+rfm", vars={"as_of": "2026-01-12"})
    assert {row["customer_id"]: row["m_score"] for row in shop.rows("rfm")} == {
        "c01": 1, "c02": 1, "c03": 1, "c04": 2, "c05": 2
    }  # fmt: skip
    assert {row["fitted_as_of"] for row in shop.rows("rfm")} == {datetime.date(2026, 1, 12)}

    shop.build("+rfm", vars={"as_of": "2026-01-13"})
    assert {row["fitted_as_of"] for row in shop.rows("rfm")} == {datetime.date(2026, 1, 12)}

    options = {"refit": "never", "bins": 2, "segment_map": "mine", "cut_points": {"monetary": [45]}}
    shop.write(models={"rfm": options})
    shop.build("+rfm", vars={"as_of": "2026-01-14"})
    assert {row["customer_id"]: row["m_score"] for row in shop.rows("rfm")} == {
        "c01": 1, "c02": 1, "c03": 1, "c04": 1, "c05": 2
    }  # fmt: skip


def test_cut_points_that_are_kept_tell_of_another_window(shop: Shop) -> None:
    """A boundary holds at once, fixed cut points too; those that were fixed stay."""
    load(shop, buyers(10, 20, 30, 40, 50))
    cuts = {"monetary": [15, 25, 35, 45]}
    kept: dict[str, Any] = {"refit": "never"}
    shop.write(models={"rfm": {**kept, "cut_points": cuts}})
    shop.build("+rfm")
    frequency = {"frequency": [1, 2, 3, 4]}
    shop.write(
        models={
            "rfm": {**kept, "boundary": "left", "cut_points": {**cuts, **frequency}},
        }
    )
    shop.build("+rfm")
    assert "keeps its fit" not in shop.said()
    shop.write(models={"rfm": {**kept, "window": 30}})
    shop.build("+rfm")
    assert (
        "rfm keeps its fit (refit: never), which was made with other options: window (fitted with"
        " none, now 30), cut_points.monetary (fitted with [15.0, 25.0, 35.0, 45.0], now none)."
    ) in shop.said()


def test_the_window_forgets_older_orders(shop: Shop) -> None:
    """5 days before 11 January is the 6th: older orders count neither for money nor frequency."""
    old = [("c05", "old", FIRST, 100.0), ("c06", "old", FIRST, 50.0)]
    load(shop, [*buyers(10, 20, 30, 40, 50, 60), *old])
    shop.write(models={"rfm": {"window": 5}}, vars={"as_of": "2026-01-11"})
    shop.build("+rfm")
    rows = {row["customer_id"]: (row["frequency"], row["monetary"]) for row in shop.rows("rfm")}
    assert rows == {"c05": (5, pytest.approx(50)), "c06": (6, pytest.approx(60))}


# Less than everything ----------------------------------------------------------------------------


def test_empty(shop: Shop) -> None:
    """--empty checks the types of everything, and reads no row."""
    again = ("c01", "again", FIRST + datetime.timedelta(days=9), 5.0)
    load(shop, [*buyers(10, 20, 30), again])
    shop.write()
    shop.build(*EVERYTHING, limits=Limits(empty=True))
    for name in ("order_lines_clean", "input_quality", "orders", "rfm", "customer_lifecycle",
                 "cohort_retention"):  # fmt: skip
        assert shop.rows(name) == [], name
    assert {row["customers"] for row in shop.rows("rfm_segments")} == {0}
    with shop.engine() as engine:
        columns = engine.describe(f"select * from {engine.relation('rfm')}")
    kinds = {column.name: column.kind for column in columns}
    assert kinds["as_of"] == kinds["last_order_date"] == "date"
    assert kinds["monetary"] == kinds["r_score"] == "number"

    shop.build(*EVERYTHING)
    assert len(shop.rows("rfm")) == 3


def test_sample(shop: Shop) -> None:
    """--sample takes customers by the md5 of '0:<id>': all lines of a customer, or none."""
    load(shop, buyers(*range(1, 41)))
    # The mapped name differs in case from the column: that is the same column.
    columns = {name: name.upper() for name in COLUMNS}
    shop.write(inputs={"order_lines": {"relation": shop.raw("raw"), "columns": columns}})
    shop.build("+rfm", limits=Limits(sample=0.3))
    chosen = {
        f"c{n:02}"
        for n in range(1, 41)
        if int(hashlib.md5(f"0:c{n:02}".encode()).hexdigest()[:13], 16) / 2**52 < 0.3
    }
    assert 5 < len(chosen) < 20
    rows = {row["customer_id"]: row["frequency"] for row in shop.rows("rfm")}
    assert rows == {customer: int(customer[1:]) for customer in chosen}
