"""Bad input at the end of a build: what it says, and what stays as it was.

The expected counts and amounts follow from the rows in each test, by hand. Every build also runs the
data test input_quality_adds_up: no line and no amount is unaccounted for.
"""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from bad_input import EVERYTHING, load_lines, quality, reconciliation, refusal, statuses, warnings
from shop import Shop

from seg_sql import resources
from seg_sql.events import Said


def test_the_line_at_the_end_and_the_shares(shop: Shop) -> None:
    """Of 2,000: 400 without a customer, 200 undated; r's refund is kept like a's, and counted."""
    lines = [("a", "1", "2026-01-10", 1600), ("a", "2", "2026-01-11", -100),
             (None, "3", "2026-01-11", 400), ("a", "4", None, 200),
             ("r", "5", "2026-01-11", -100), ("a", "6", "2026-01-11", None)]  # fmt: skip
    load_lines(shop, lines)
    shop.write()
    shop.build("+input_quality")
    assert reconciliation(shop) == (
        "amount read 2,000 = kept 1,400 + no customer 400 + no date 200"
        "   (lines without an amount: no amount 1)"
    )
    shares = {row["reason"]: row["amount_share"] for row in shop.rows("input_quality")}
    assert shares == {
        "kept": pytest.approx(0.75),
        "no customer": pytest.approx(0.2),
        "no date": pytest.approx(0.1),
        "customer without a purchase": pytest.approx(-0.05),
        "no amount": None,
    }


@pytest.mark.parametrize(
    ("undated", "amount", "warns"),
    [
        (1, 50.0, False),  # exactly 5 % of 1,000
        (1, 51.0, True),
        (1, -51.0, True),
        (5, 0.0, False),  # 5 of 100 lines
        (6, 0.0, True),
    ],
)
def test_too_much_is_dropped(shop: Shop, undated: int, amount: float, warns: bool) -> None:
    good = 100 - undated
    lines: list[tuple[Any, ...]] = [
        ("a", str(n), "2026-01-10", (1000 - amount) / good) for n in range(good)
    ]
    lines += [("a", "x", None, amount / undated)] * undated
    load_lines(shop, lines)
    shop.write(vars={"duplicates": "ignore"})
    shop.build("+input_quality")
    assert warnings(shop) == ({"too_much_dropped"} if warns else set())
    # Where the table is not built, the end of the build says it.
    shop.build("orders")
    said = [each.text for each in shop.log.of(Said) if each.level == "warn"]
    assert [text.split(" of the ")[1] for text in said if "is dropped" in text] == (
        [
            f"{'lines' if amount == 0 else 'amount'} is dropped: no date"
            f" ({undated} {'line' if undated == 1 else 'lines'})."
        ]
        if warns
        else []
    )


@pytest.mark.parametrize(
    ("most", "second", "others", "warns"),
    [
        (20, 1, 1900, True),
        (20, 1, 1979, False),  # 20 of 2,000 orders is not over 1 %
        (19, 1, 0, False),  # not 20 times the second
        (40, 2, 0, True),
        (5, 0, 0, False),  # there is no second
    ],
)
def test_one_customer_dominates(
    shop: Shop, most: int, second: int, others: int, warns: bool
) -> None:
    lines = [("till", f"t{n}", "2026-01-10", 1) for n in range(most)]
    lines += [("b", f"b{n}", "2026-01-10", 1) for n in range(second)]
    lines += [(f"c{n}", f"c{n}", "2026-01-10", 1) for n in range(others)]
    load_lines(shop, lines)
    shop.write()
    shop.build("+orders")
    assert warnings(shop) == ({"one_customer_dominates"} if warns else set())
    if warns:
        assert "anonymous_ids" in shop.said()


@pytest.mark.parametrize(
    ("ids", "warns"),
    [
        (("c1", "C1"), True),
        (("Ann", "aNN", "bob"), True),
        (("C1", "C1 "), True),
        (("\tc1", "C1\u00a0"), True),
        ((" C1", "C 1"), False),
        (("00017", "17"), True),
        (("17.0", "17"), True),
        (("17", "170", "17.00"), False),
        (("0", "00"), True),
        (("c1", "c2", "C3"), False),
        # Engines fold other letters differently.
        (("\u00e9va", "\u00c9va"), False),
    ],
)
def test_ids_that_are_written_differently(shop: Shop, ids: tuple[str, ...], warns: bool) -> None:
    load_lines(shop, [(each, each, "2026-01-10", 1) for each in ids])
    shop.write()
    shop.build("+rfm_values")
    assert len(shop.rows("rfm_values")) == len(ids)
    assert warnings(shop) == ({"ids_written_differently"} if warns else set())


@pytest.mark.parametrize(
    ("lines", "repeated", "duplicates", "warns"),
    [
        (50, 50, "count", True),  # a file read twice
        (50, 1, "count", False),  # 1 of 51
        (48, 1, "count", True),  # 1 of 49 is more than 2 %
        (50, 50, "ignore", False),
        (50, 50, "drop", False),
    ],
)
def test_many_equal_lines(
    shop: Shop, lines: int, repeated: int, duplicates: str, warns: bool
) -> None:
    file = [("a", str(n), "2026-01-10", 1) for n in range(lines)]
    load_lines(shop, [*file, *file[:repeated]])
    shop.write(vars={"duplicates": duplicates})
    shop.build("+input_quality")
    expected = {"many_equal_lines"} if warns else set()
    assert warnings(shop) == expected
    if warns:
        assert "read twice" in shop.said()


@pytest.mark.parametrize(
    ("amounts", "warns"),
    [
        ((400, 20, *[5] * 10), True),
        ((399, 20, *[5] * 10), False),  # not 20 times the second
        ((105, 5, *[1] * 1989), True),  # of 2,099
        ((105, 5, *[1] * 1990), False),  # exactly 5 %
        ((400,), False),  # there is no second
    ],
)
def test_one_order_dominates(shop: Shop, amounts: tuple[int, ...], warns: bool) -> None:
    load_lines(shop, [(f"c{n}", str(n), "2026-01-10", each) for n, each in enumerate(amounts)])
    shop.write(vars={"duplicates": "ignore"})
    shop.build("+orders")
    assert warnings(shop) == ({"one_order_dominates"} if warns else set())


@pytest.mark.parametrize("day", ["1970-01-01", "1899-12-30"])
def test_a_day_that_stands_for_none_is_told(shop: Shop, day: str) -> None:
    load_lines(shop, [("a", "1", day, 5), ("a", "2", "2026-01-10", 5)])
    shop.write()
    shop.build("+orders")
    assert f"The first order line is dated {day}: some systems write such a day" in shop.said()
    shop.execute(f"update {shop.raw('raw')} set ordered_at = '1980-01-01' where order_id = '1'")
    shop.build("+orders")
    assert "The first order line" not in shop.said()


def test_a_negative_quantity_of_a_negative_price_is_told(shop: Shop) -> None:
    """2 x 5 sold, -1 x 5 taken back, -1 x -4 that counts as 4."""
    shop.load(
        [
            ("a", "1", "2026-01-10", "x", 2, 5.0),
            ("a", "2", "2026-01-11", "x", -1, 5.0),
            ("b", "3", "2026-01-11", "x", -1, -4.0),
        ]
    )
    shop.write()
    shop.build("+input_quality")
    assert quality(shop) == {
        "kept": ("kept", 2, 5.0),
        "negative quantity and price": ("kept", 1, 4.0),
    }
    assert warnings(shop) == {"negative_twice"}
    assert reconciliation(shop) == "amount read 9 = kept 9"


def test_a_reason_that_goes_missing_is_noticed(shop: Shop) -> None:
    """A project's own input_quality that forgets the lines without a customer fails its test."""
    load_lines(shop, [("a", "1", "2026-01-10", 5), (None, "2", "2026-01-10", 6)])
    shop.write()
    own = shop.folder / "sql" / "models" / "input_quality.sql"
    own.parent.mkdir(parents=True)
    packaged = resources.SQL / "models" / "base" / "input_quality.sql"
    shutil.copy(packaged, own)
    text = own.read_text()
    assert text.endswith("select * from reasons\n")
    own.write_text(f"{text.rstrip()}\nwhere reason <> 'no customer'\n")
    assert shop.run("build", "+input_quality") == 1
    assert statuses(shop)["input_quality_adds_up"] == "fail"
    assert "do not add up to the amount that was read" in shop.said()


def test_bad_input_leaves_yesterdays_tables(shop: Shop) -> None:
    load_lines(shop, [("a", "1", "2026-01-10", 5), ("a", "2", "2026-01-11", 6)])
    shop.write()
    shop.build(*EVERYTHING)
    before = {name: shop.rows(name) for name in ("rfm", "orders", "input_quality")}
    shop.execute(f"update {shop.raw('raw')} set ordered_at = null")
    assert "No order line has a date" in refusal(shop).message
    shop.execute(f"update {shop.raw('raw')} set ordered_at = '2026-01-12', amount = null")
    assert shop.run("build", *EVERYTHING) == 1
    assert statuses(shop)["not_empty_order_lines_clean"] == "fail"
    assert {name: shop.rows(name) for name in before} == before
