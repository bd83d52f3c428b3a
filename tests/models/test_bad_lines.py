"""Lines that repeat, and ids that stand for somebody else or nobody: each is counted.

The expected counts and amounts follow from the rows in each test, by hand. Every build also runs the
data test input_quality_adds_up: no line and no amount is unaccounted for.
"""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from bad_input import EVERYTHING, LINE, load_lines, quality
from shop import Shop, by

from seg_sql.events import TestFinished

# Lines and orders --------------------------------------------------------------------------------


TWICE = [
    ("a", "1", "2026-01-10", 5, "red"),
    ("a", "1", "2026-01-10", 5, "red"),
    ("a", "1", "2026-01-10", 5, "blue"),
    (None, "2", "2026-01-10", 3, "red"),
    (None, "2", "2026-01-10", 3, "red"),
]


@pytest.mark.parametrize(
    ("duplicates", "attributes", "expected"),
    [
        (
            "count",
            ["color"],
            {"kept": ("kept", 2, 10.0), "possible duplicate": ("kept", 1, 5.0),
             "no customer": ("kept", 2, 6.0)},
        ),
        (
            "count",
            [],
            {"kept": ("kept", 1, 5.0), "possible duplicate": ("kept", 2, 10.0),
             "no customer": ("kept", 2, 6.0)},
        ),
        (
            "drop",
            ["color"],
            {"kept": ("kept", 2, 10.0), "duplicate": ("dropped", 2, 8.0),
             "no customer": ("kept", 1, 3.0)},
        ),
        ("ignore", ["color"], {"kept": ("kept", 3, 15.0), "no customer": ("kept", 2, 6.0)}),
    ],
)  # fmt: skip
def test_equal_lines(
    shop: Shop, duplicates: str, attributes: list[str], expected: dict[str, Any]
) -> None:
    load_lines(shop, TWICE, (*LINE, "color"))
    order_lines = {"relation": shop.raw("raw"), "attributes": attributes}
    shop.write(inputs={"order_lines": order_lines}, vars={"duplicates": duplicates})
    shop.build("+input_quality")
    assert quality(shop) == expected


def test_lines_that_differ_in_one_empty_value_are_two(shop: Shop) -> None:
    """Nothing, an empty text, and the same words in two other columns: only the last is a copy."""
    notes = [(None, None), ("", None), (None, ""), ("", ""), ("x", "y"), ("y", "x"), ("xy", "")]
    lines = [("a", "1", "2026-01-10", 5, *pair) for pair in [*notes, ("x", "y")]]
    load_lines(shop, lines, (*LINE, "color", "note"))
    order_lines = {"relation": shop.raw("raw"), "attributes": ["color", "note"]}
    shop.write(inputs={"order_lines": order_lines})
    shop.build("+input_quality")
    assert quality(shop) == {
        "kept": ("kept", 7, 35.0),
        "possible duplicate": ("kept", 1, 5.0),
    }


def test_a_repeated_line_id_counts_once(shop: Shop) -> None:
    """Of two lines with one id the first in time, then the cheaper counts; without one, all do."""
    lines = [
        ("a", "1", "2026-01-10", 7, "L1"),
        ("a", "1", "2026-01-10", 5, "L1"),
        ("b", "1", "2026-01-11", 3, "L1"),
        ("a", "2", "2026-01-12", 4, None),
        ("a", "2", "2026-01-12", 4, None),
        ("a", "3", "2026-01-12", 8, "L2"),
        ("a", "3", "2026-01-12", 8, "L3"),
    ]
    load_lines(shop, lines, (*LINE, "line_id"))
    shop.write()
    shop.build("+input_quality")
    assert quality(shop) == {
        "kept": ("kept", 4, 25.0),
        "possible duplicate": ("kept", 1, 4.0),  # L2 and L3 are two lines, whatever is in them
        "duplicate line_id": ("dropped", 2, 10.0),
    }


def test_an_order_id_of_two_customers_is_two_orders(shop: Shop) -> None:
    lines = [("a", "1", "2026-01-10", 5), ("b", "1", "2026-01-10", 6), ("b", "2", "2026-01-11", 7)]
    load_lines(shop, lines)
    shop.write()
    shop.build("+input_quality")
    assert quality(shop) == {
        "kept": ("kept", 1, 7.0),
        "order of several customers": ("kept", 2, 11.0),
    }
    orders = {(r["order_id"], r["customer_id"]): r["amount"] for r in shop.rows("orders")}
    assert orders == {("1", "a"): 5.0, ("1", "b"): 6.0, ("2", "b"): 7.0}


def test_lines_without_order_id_or_customer(shop: Shop) -> None:
    """A blank text is no id."""
    lines = [("a", "1", "2026-01-10", 5), ("a", None, "2026-01-10", 6), ("a", " ", "2026-01-10", 7),
             (None, "2", "2026-01-10", 8), ("  ", "3", "2026-01-10", 9),
             ("r", "4", "2026-01-10", -1)]  # fmt: skip
    load_lines(shop, lines)
    shop.write()
    shop.build("+input_quality")
    assert quality(shop) == {
        "kept": ("kept", 1, 5.0),
        "no order id": ("dropped", 2, 13.0),
        "no customer": ("kept", 2, 17.0),
        "customer without a purchase": ("kept", 1, -1.0),
    }


def test_one_customer_with_one_order(shop: Shop) -> None:
    """A rhythm needs two days with purchases: one table says so, the others are published."""
    load_lines(shop, [("a", "1", "2026-01-10", 5)])
    shop.write()
    assert shop.run("build", *EVERYTHING) == 1
    failed = [event for event in shop.log.of(TestFinished) if event.status == "fail"]
    assert [event.model for event in failed] == ["customer_lifecycle"]
    assert failed[0].message == (
        "No customer bought on two days, so there are no gaps between purchases to measure anyone"
        " against. Until then leave the model out: models: {customer_lifecycle: {enabled: false}}"
    )
    [row] = shop.rows("rfm")
    assert (row["recency_days"], row["frequency"], row["monetary"]) == (1, 1, 5.0)
    assert sum(row["customers"] for row in shop.rows("rfm_segments")) == 1
    with shop.engine() as engine:
        assert "customer_lifecycle" not in engine.existing()
    # Without it the rest is built: the history, its moves and the wide table.
    off = {"enabled": False}
    shop.write(models=dict.fromkeys(("customer_lifecycle", "clv", "customer_clusters"), off))
    shop.build("+customer_360", "+segment_moves")
    assert [row["lifecycle_stage"] for row in shop.rows("customer_360")] == [None]
    assert [row["source"] for row in shop.rows("customer_segment_history")] == ["rfm"]


# Customers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "ids"),
    [
        ("varchar", ["0", "-1", "GUEST", "17"]),
        ("integer", [0, -1, -1, 17]),
        # What pandas makes of integers with gaps: 0 is written 0.0, and a gap is NaN.
        ("double precision", [0.0, -1.0, -1.0, 17.0]),
    ],
)
def test_anonymous_ids(shop: Shop, kind: str, ids: list[Any]) -> None:
    lines = [(id_, str(n), "2026-01-10", 2.0**n) for n, id_ in enumerate(ids)]
    load_lines(shop, lines, customer_id=kind)
    if kind == "double precision":
        shop.execute(f"insert into {shop.raw('raw')} values ('NaN', '9', '2026-01-10', 16)")
    order_lines = {"relation": shop.raw("raw"), "anonymous_ids": [0, -1, "GUEST"]}
    shop.write(inputs={"order_lines": order_lines})
    shop.build("+input_quality", "+rfm_values")
    expected = {"kept": ("kept", 1, 8.0), "anonymous id": ("kept", 3, 7.0)}
    if kind == "double precision":
        expected["no customer"] = ("kept", 1, 16.0)
    assert quality(shop) == expected
    assert [row["customer_id"] for row in shop.rows("rfm_values")] == ids[3:]
    # Kept for the models of items, without the customer.
    clean = by(shop.rows("order_lines_clean"), "order_id")
    assert [clean[str(n)]["customer_id"] for n in range(4)] == [None, None, None, ids[3]]


def test_without_order_ids_an_order_is_a_customers_day(shop: Shop) -> None:
    """Also where two ids are one customer; the guests of a day are no order at all."""
    lines = [("a", "2026-01-10 09:00", 1), ("b", "2026-01-10 17:00", 2), ("a", "2026-01-11", 4),
             ("guest", "2026-01-10", 8), ("guest", "2026-01-10", 16), (None, "2026-01-10", 32),
             ("a", "infinity", 64), ("a", None, 128)]  # fmt: skip
    load_lines(shop, lines, ("customer_id", "ordered_at", "amount"))
    shop.load([("b", "a")], ("customer_id", "merged_into"), name="map")
    order_lines = {"relation": shop.raw("raw"), "anonymous_ids": ["guest"]}
    shop.write(inputs={"order_lines": order_lines, "customer_map": {"relation": shop.raw("map")}})
    shop.build("+input_quality")
    orders = {row["order_id"]: row["amount"] for row in shop.rows("orders")}
    assert orders == {"a|2026-01-10": 3.0, "a|2026-01-11": 4.0}
    guests = [row for row in shop.rows("order_lines_clean") if row["customer_id"] is None]
    assert [row["order_id"] for row in guests] == [None, None, None]
    assert quality(shop) == {
        "kept": ("kept", 3, 7.0),
        "anonymous id": ("kept", 2, 24.0),
        "no customer": ("kept", 1, 32.0),
        "unreadable date": ("dropped", 1, 64.0),
        "no date": ("dropped", 1, 128.0),
    }


def load_map(shop: Shop, *merges: tuple[str | None, str | None]) -> None:
    lines = [(c, str(n), f"2026-01-1{n}", 2.0**n) for n, c in enumerate("abcd")]
    load_lines(shop, lines)
    shop.load(merges, ("customer_id", "merged_into"), name="map")
    inputs = {"order_lines": "raw", "customer_map": "map"}
    shop.write(inputs={name: {"relation": shop.raw(raw)} for name, raw in inputs.items()})


def test_merged_customers(shop: Shop) -> None:
    """Chains are followed; a customer merged into itself, a repeated row and NULL do nothing."""
    load_map(
        shop, ("a", "b"), ("b", "c"), ("b", "c"), ("d", "d"), (None, "a"), ("d", None), ("x", "a")
    )
    shop.build("+rfm_values", "+input_quality")
    monetary = {row["customer_id"]: row["monetary"] for row in shop.rows("rfm_values")}
    assert monetary == {"c": 7.0, "d": 8.0}
    assert quality(shop) == {"kept": ("kept", 4, 15.0)}


@pytest.mark.parametrize(
    ("merges", "message"),
    [
        ([("a", "b"), ("b", "a")], "customer_map merges ids in a circle"),
        ([("d", "a"), ("a", "b"), ("b", "c"), ("c", "a")], "customer_map merges ids in a circle"),
        ([("a", "b"), ("a", "c")], "A customer_id of customer_map is merged into two customers"),
    ],
)
def test_merges_without_an_end_publish_nothing(
    shop: Shop, merges: list[tuple[str, str]], message: str
) -> None:
    load_map(shop, *merges)
    assert shop.run("build", *EVERYTHING) == 1
    assert message in shop.said()
    with shop.engine() as engine:
        published = {name for name in engine.existing() if not name.startswith(("raw_", "seg_sql"))}
    assert published <= {"rfm_map_rf_10", "rfm_segment_map"}


def test_known_first_orders(shop: Shop) -> None:
    """The earliest of several rows counts, if it is before the first order and in a real year."""
    lines = [(customer, customer, "2026-02-10", 5) for customer in "abcde"]
    load_lines(shop, [*lines, ("a", "2", "2026-02-15", 1)])
    rows = [("a", "2025-12-24"), ("a", "2025-12-31"), ("a", None), ("b", "2026-02-11"),
            ("c", "0001-01-01"), ("d", None), (None, "2020-01-01"),
            ("z", "2020-01-01")]  # fmt: skip
    shop.load(rows, ("customer_id", "first_order_date"), name="customers",
              types={"first_order_date": "date"})  # fmt: skip
    inputs = {"order_lines": "raw", "customers": "customers"}
    shop.write(inputs={name: {"relation": shop.raw(raw)} for name, raw in inputs.items()})
    shop.build(*EVERYTHING)
    expected = dict.fromkeys("bcde", datetime.date(2026, 2, 10)) | {
        "a": datetime.date(2025, 12, 24)
    }
    for table in ("rfm", "customer_lifecycle"):
        found = {row["customer_id"]: row["first_order_date"] for row in shop.rows(table)}
        assert found == expected, table
    assert quality(shop, of="customers") == {
        "kept": ("kept", 3, None),
        "no date": ("kept", 2, None),
        "repeated customer": ("dropped", 2, None),
        "no customer": ("dropped", 1, None),
    }
    # The cohort of December is older than the data, so that its first months are not known.
    cohorts = by(shop.rows("cohort_retention"), "cohort_month", "period_number")
    december, february = datetime.date(2025, 12, 1), datetime.date(2026, 2, 1)
    assert {key: row["left_truncated"] for key, row in cohorts.items()} == {
        (december, 0): True,
        (december, 1): True,
        (december, 2): True,
        (february, 0): False,
    }
    assert cohorts[december, 1]["active_customers"] is None


def test_history_that_starts_in_the_middle(shop: Shop) -> None:
    """The cohorts of the first 90 days, to 31 March, may hold older customers."""
    lines = [(c, c, f"2026-0{month}-10", 5) for month, c in enumerate("abcd", 1)]
    load_lines(shop, [*lines, ("a", "2", "2026-02-10", 5)])
    shop.write(vars={"history_starts": "2026-01-01"})
    shop.build("+cohort_retention")
    found = {
        row["cohort_month"].month: row["left_truncated"] for row in shop.rows("cohort_retention")
    }
    assert found == {1: True, 2: True, 3: True, 4: False}


def test_a_first_month_that_holds_older_customers(shop: Shop) -> None:
    """Seven new customers in January, three in each later month: more than twice as many."""
    lines = [
        (f"{month}-{number}", f"{month}-{number}", f"2026-0{month}-05", 5)
        for month in range(1, 5)
        for number in range(7 if month == 1 else 3)
    ]
    load_lines(shop, lines)
    shop.write()
    shop.build("+cohort_retention")
    assert "7 customers are new in 2026-01, the first month, and 3 in a usual one" in shop.said()
    assert "vars: {history_starts: 2026-01-01}" in shop.said()
    shop.write(vars={"history_starts": "2026-01-01"})
    shop.build("+cohort_retention")
    assert "are new in" not in shop.said()
    # Six are twice as many, and no more.
    shop.write()
    shop.execute(f"delete from {shop.raw('raw')} where customer_id = '1-0'")
    shop.build("+cohort_retention")
    assert "are new in" not in shop.said()
