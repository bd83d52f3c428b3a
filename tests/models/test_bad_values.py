"""Dates and amounts that cannot be: a counted reason in input_quality, or one clear sentence.

The expected counts and amounts follow from the rows in each test, by hand. Every build also runs the
data test input_quality_adds_up: no line and no amount is unaccounted for.
"""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from bad_input import (
    EVERYTHING,
    LINE,
    load_lines,
    quality,
    reconciliation,
    refusal,
    statuses,
    warnings,
)
from shop import Shop

from seg_sql.events import Said, TestFinished

# Dates -------------------------------------------------------------------------------------------


def test_unreadable_dates(shop: Shop) -> None:
    lines = [("a", "1", "31/12/2025", 5), ("a", "2", "30/11/2025", 6)]
    load_lines(shop, lines, ordered_at="varchar")
    shop.write()
    error = refusal(shop)
    assert error.message == (
        "None of the dates in 'ordered_at' can be read with date_order: ymd (2 tried)."
    )
    assert "date_order: dmy for dates such as 31/12/2026" in str(error.hint)
    # The day is not the fault of as_of: with one given it is the same sentence.
    assert refusal(shop, vars={"as_of": "2026-01-01"}).message == error.message

    shop.write(inputs={"order_lines": {"relation": shop.raw("raw"), "date_order": "dmy"}})
    shop.build("+input_quality")
    assert quality(shop) == {"kept": ("kept", 2, 11.0)}


def test_nothing_but_null(shop: Shop) -> None:
    load_lines(shop, [(None, None, None, None)] * 3)
    shop.write()
    error = refusal(shop)
    assert error.message == "No order line has a date: 'ordered_at' is empty in all 3 rows."


def test_dates_that_are_no_days(shop: Shop) -> None:
    """Infinity, and slips of the pen: the years 20026 and 26."""
    load_lines(shop, [("a", "1", "2026-01-10", 5)])
    table = shop.raw("raw")
    for order, day in enumerate(("infinity", "-infinity", "20026-01-10", "0026-01-10"), 2):
        shop.execute(f"insert into {table} values ('a', '{order}', '{day}', {order})")
    shop.write()
    shop.build("+input_quality")
    assert quality(shop) == {"kept": ("kept", 1, 5.0), "unreadable date": ("dropped", 4, 14.0)}
    assert "as_of 2026-01-11" in shop.said()

    shop.execute(f"delete from {table} where order_id = '1'")
    assert "None of the dates in 'ordered_at' can be read" in refusal(shop).message


def test_dates_in_the_future(shop: Shop) -> None:
    lines = [("a", "1", "2026-01-10", 5), ("a", "2", "2026-01-12", 6), ("a", "3", "2999-01-01", 7)]
    load_lines(shop, lines)
    shop.write()
    shop.build("+input_quality")
    assert "as_of 2026-01-13 (the day after the last order line)" in shop.said()
    assert quality(shop) == {"kept": ("kept", 2, 11.0), "future-dated": ("dropped", 1, 7.0)}
    assert warnings(shop) == {"too_much_dropped"}

    # With a day given, what is after it is left out on purpose: no warning. as_of is exclusive.
    shop.build("+input_quality", vars={"as_of": "2026-01-12"})
    assert quality(shop) == {"kept": ("kept", 1, 5.0), "after as_of": ("dropped", 2, 13.0)}
    assert warnings(shop) == set()

    shop.build("+input_quality", vars={"as_of": "3000-01-01"})
    assert quality(shop) == {"kept": ("kept", 3, 18.0)}


def test_only_dates_in_the_future(shop: Shop) -> None:
    load_lines(shop, [("a", "1", "2999-01-02", 5), ("a", "2", "2999-01-01", 6)])
    shop.write()
    error = refusal(shop)
    assert error.message == "Every order line is dated in the future, the first one 2999-01-01."
    assert "as_of" in str(error.hint)


def test_everything_after_as_of(shop: Shop) -> None:
    """No model is published, and the line at the end says why."""
    load_lines(shop, [("a", "1", "2026-01-10", 5)])
    shop.write(vars={"as_of": "2026-01-01"})
    assert shop.run("build", *EVERYTHING) == 1
    assert statuses(shop)["not_empty_order_lines_clean"] == "fail"
    assert reconciliation(shop) == "amount read 5 = kept 0 + after as_of 5"
    with shop.engine() as engine:
        assert not {"orders", "rfm", "order_lines_clean"} & engine.existing().keys()


@pytest.mark.parametrize("publish", ["each", "together"])
@pytest.mark.parametrize("selection", [["order_lines_clean"], ["+rfm"]])
def test_only_numbers_with_a_decimal_comma(shop: Shop, selection: list[str], publish: str) -> None:
    """What not_empty points to is printed, and names the key that says how numbers are written."""
    load_lines(shop, [("a", "1", "2026-01-10", "12,50")] * 3, amount="text")
    shop.write(publish=publish)
    assert shop.run("build", *selection) == 1
    failed = next(each for each in shop.log.of(TestFinished) if each.status == "fail")
    assert failed.message == (
        'No order line is left; the line "amount read ..." at the end of a build counts the'
        " reasons."
    )
    assert reconciliation(shop) == (
        "amount read 0 = kept 0   (lines without an amount: unreadable number 3)"
    )
    said = [(each.text, each.hint) for each in shop.log.of(Said) if each.level == "warn"]
    assert said == [
        (
            "100% of the lines is dropped: unreadable number (3 lines).",
            "Are numbers written as decimal_comma says (true for 12,50)?",
        )
    ]


def test_as_of_in_the_future_is_said(shop: Shop) -> None:
    today = datetime.datetime.now(datetime.UTC).date()
    load_lines(shop, [("a", "1", "2026-01-10", 5)])
    shop.write(vars={"as_of": str(today + datetime.timedelta(days=11))})
    shop.build("+orders")
    assert shop.finished.warned == 1
    assert "recency counts 10 days that are still to come" in shop.said()
    # The day after today is the first one that today's orders come before.
    shop.write(vars={"as_of": str(today + datetime.timedelta(days=1))})
    shop.build("+orders")
    assert shop.finished.warned == 0


def test_max_age_days(shop: Shop) -> None:
    today = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    last = today - datetime.timedelta(days=4)
    load_lines(shop, [("a", "1", last, 5)])
    shop.write(vars={"max_age_days": 2})
    shop.build("+orders")
    warned = [said for said in shop.log.of(Said) if said.level == "warn"]
    assert [said.text for said in warned] == [
        "The last order line is 4 days old (max_age_days is 2)."
    ]
    assert shop.finished.warned == 1
    shop.build("+orders", vars={"max_age_days": 5})
    assert shop.finished.warned == 0


# Amounts -----------------------------------------------------------------------------------------


def test_text_in_amounts(shop: Shop) -> None:
    amounts = ["5", " 1,200.50 ", "12 EUR", "abc", "", None, "1e3", "NaN", "0x1F", "1e999"]
    lines = [("a", str(n), "2026-01-10", amount) for n, amount in enumerate(amounts)]
    load_lines(shop, lines, amount="varchar")
    shop.write()
    shop.build("+input_quality")
    assert quality(shop) == {
        "kept": ("kept", 3, 2205.5),
        "unreadable number": ("dropped", 5, None),
        "no amount": ("dropped", 2, None),
    }
    assert warnings(shop) == {"too_much_dropped"}


def test_no_amount_at_all(shop: Shop) -> None:
    load_lines(shop, [("a", "1", "2026-01-10", "x"), ("b", "2", "2026-01-11", "y")], amount="text")
    shop.write()
    assert shop.run("build", *EVERYTHING) == 1
    assert statuses(shop)["not_empty_order_lines_clean"] == "fail"
    assert (
        reconciliation(shop)
        == "amount read 0 = kept 0   (lines without an amount: unreadable number 2)"
    )


def test_nan_infinity_and_absurd_sizes(shop: Shop) -> None:
    """1e200 x 1e200 would overflow, 1e-200 x 1e-200 underflow; 1e15 is the most that is money."""
    shop.load([("a", "1", "2026-01-10", "x", 1, 5.0)], types={"quantity": "double precision"})
    table = shop.raw("raw")
    good = [("1", "1e15"), ("1e20", "1e-10"), ("1e-200", "1e-200"), ("1e20", "0")]
    bad = [("1", "'NaN'"), ("1", "'Infinity'"), ("-1", "'Infinity'"), ("'NaN'", "1"), ("0", "'NaN'"),
           ("'Infinity'", "0"), ("1e200", "1e200"), ("1e200", "-1e200"), ("2", "1e15")]  # fmt: skip
    for quantity, price in good + bad:
        line = f"'a', '1', '2026-01-11', 'x', {quantity}, {price}"
        shop.execute(f"insert into {table} values ({line})")
    shop.write()
    shop.build("+input_quality")
    assert quality(shop) == {
        "kept": ("kept", 1 + len(good), 1e15 + 1e10 + 5),
        "number out of range": ("dropped", len(bad), None),
    }


def test_exact_numbers_of_any_size(shop: Shop) -> None:
    """PostgreSQL's numeric has no largest value; DuckDB's DECIMAL ends at 38 digits."""
    kind = "numeric" if shop.is_postgres else "decimal(38, 2)"
    load_lines(shop, [("a", "1", "2026-01-10", "5.25")], amount=kind)
    values = ("1e400", "-1e400", "'NaN'", "1e-400") if shop.is_postgres else ("1e35",)
    for value in values:
        shop.execute(f"insert into {shop.raw('raw')} values ('a', '2', '2026-01-10', {value})")
    shop.write()
    shop.build("+input_quality")
    kept, dropped = (2, 3) if shop.is_postgres else (1, 1)  # 1e-400 is 0
    assert quality(shop) == {
        "kept": ("kept", kept, 5.25),
        "number out of range": ("dropped", dropped, None),
    }


def test_an_unreadable_quantity_beside_a_good_amount(shop: Shop) -> None:
    """The money is kept; how many pieces it was for is not known."""
    lines = [("a", "1", "2026-01-10", 5, "2"), ("a", "1", "2026-01-10", 6, "two"),
             ("a", "2", "2026-01-10", 7, None), ("a", "3", "2026-01-10", 8, "1e300")]  # fmt: skip
    load_lines(shop, lines, (*LINE, "quantity"), quantity="varchar")
    shop.write()
    shop.build("+input_quality")
    assert quality(shop) == {
        "kept": ("kept", 2, 12.0),
        "unreadable quantity": ("kept", 2, 14.0),
    }
    items = {row["order_id"]: row["items"] for row in shop.rows("orders")}
    assert items == {"1": 2.0, "2": None, "3": None}


@pytest.mark.parametrize(
    ("refunds", "expected"),
    [
        ("net", {"kept": ("kept", 3, 3.0)}),
        ("drop", {"kept": ("kept", 1, 10.0), "refund": ("dropped", 2, -7.0)}),
    ],
)
def test_refunds(shop: Shop, refunds: str, expected: dict[str, Any]) -> None:
    lines = [
        ("a", "1", "2026-01-10", 10),
        ("a", "2", "2026-01-11", -4),
        ("a", "3", "2026-01-12", -3),
    ]
    load_lines(shop, lines)
    shop.write(vars={"refunds": refunds})
    shop.build("+input_quality", "+rfm_values")
    assert quality(shop) == expected
    assert warnings(shop) == set()
    [row] = shop.rows("rfm_values")
    assert row["monetary"] == expected["kept"][2]
    assert row["frequency"] == 1


def test_refunds_may_stop_the_build(shop: Shop) -> None:
    load_lines(shop, [("a", "1", "2026-01-10", 10), ("a", "2", "2026-01-11", -4)])
    shop.write(vars={"refunds": "error"})
    assert shop.run("build", "+orders") == 1
    assert "There are negative lines, and refunds: error does not allow them." in shop.said()
    with shop.engine() as engine:
        assert "orders" not in engine.existing()
