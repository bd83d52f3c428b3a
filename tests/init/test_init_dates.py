"""Dates and numbers in files: in which form they are, and whether the build reads them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from seg_sql import resources
from seg_sql.engines import Engine
from seg_sql.init import init_from_file
from seg_sql.render import Renderer

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "init"


DATES = {
    # day_or_month.csv: no day above the 9th.
    "undecided": ([], "dmy", "the day is assumed to come first"),
    "day first": ([(r"\b01/(\d\d)/2026", r"31/\1/2026")], "dmy", "can only be day first"),
    "both": (
        [(r"01/(\d\d)/2026", r"31/\1/2026"), (r"02/(\d\d)/2026", r"\1/31/2026")],
        "dmy",
        "mixes day first",
    ),
}


@pytest.mark.parametrize("case", ["undecided", "day first", "both"])
def test_dates_that_may_be_read_in_two_ways(case: str, look: Any, changed: Any, noted: Any) -> None:
    changes, order, words = DATES[case]
    proposal, lines = look(changed("day_or_month.csv", *changes))
    assert lines["date_order"] == order
    noted(proposal, words)


def test_month_first(look: Any, noted: Any) -> None:
    # superstore.csv begins on 1/15/2026.
    proposal, lines = look(FIXTURES / "superstore.csv")
    assert lines["date_order"] == "mdy"
    noted(proposal, "1/15/2026 can only be month first")


def test_a_date_of_another_name_that_cannot_be_read(tmp_path: Path, look: Any, noted: Any) -> None:
    path = tmp_path / "sold.csv"
    lines = "".join(f"c{n % 3},o{n},0{1 + n % 9}/14/26,5.50\n" for n in range(20))
    path.write_text(f"customer_id,order_id,sold on,amount\n{lines}")
    proposal, written = look(path)
    assert "ordered_at" not in written["columns"]
    assert "years of two digits" in noted(proposal, "'sold on' is not taken as ordered_at")


@pytest.mark.parametrize(
    ("written", "words"),
    [
        # epoch.csv as it is: seconds, then the same as milliseconds.
        (None, "counts seconds since 1970, as 17"),
        (r"\g<0>000", "counts milliseconds since 1970, as 17"),
        # 2023-07-16 in a workbook, with and without a time.
        ("45123", "counts days since 1900 as workbooks do, as 45123"),
        ("45123.604", "counts days since 1900 as workbooks do, as 45123.604"),
        ("75123", "its values are no dates, as 75123"),
        ("03/04/26", "has years of two digits, as 03/04/26"),
        ("3/4/2026 2:05 PM", "has a clock of twelve hours"),
        ("4 Mar 2026", "has names of months"),
        ("2026.03.04", "has another form"),
        ("12345678", "its values are no dates, as 12345678"),
        ("9999999999", "its values are no dates, as 9999999999"),
        ("soon", "its values are no dates, as soon"),
    ],
)
def test_dates_that_the_build_cannot_read_are_refused(
    written: str | None, words: str, look: Any, changed: Any, noted: Any
) -> None:
    changes = [] if written is None else [(r"\b17\d{8}\b", written)]
    proposal, lines = look(changed("epoch.csv", *changes))
    assert "ordered_at" not in lines["columns"]
    assert proposal.undecided["ordered_at"] == ("created",)
    noted(proposal, "created is not taken as ordered_at", words)


def test_five_digits_under_any_name_are_no_dates(tmp_path: Path, look: Any) -> None:
    path = tmp_path / "sold.csv"
    lines = "".join(f"c{n % 3},o{n},{45100 + n},5.50\n" for n in range(20))
    path.write_text(f"customer_id,order_id,plz,amount\n{lines}")
    proposal, _ = look(path)
    assert not [note for note in proposal.notes if "plz" in note]


@pytest.mark.parametrize(
    "written", ["20260304", "2026/3/4 9:05", "2026-03-04T09:05:00.123Z", "2026-03-04 09:05:00 UTC"]
)
def test_dates_that_begin_with_the_year_need_no_order(
    written: str, look: Any, changed: Any
) -> None:
    _, lines = look(changed("epoch.csv", (r"\b17\d{8}\b", written)))
    assert lines["columns"]["ordered_at"] == "created"
    assert "date_order" not in lines


@pytest.mark.parametrize(
    ("written", "order"),
    [
        ("2026-03-04", "ymd"),
        ("2026-3-4 9:05", "ymd"),
        ("2026/03/04 09:05:00", "ymd"),
        ("20260304", "ymd"),
        ("2026-03-04 09:05:00+0100", "ymd"),
        ("2026-03-04T09:05:00.5Z", "ymd"),
        ("2026-03-04 09:05 UTC", "ymd"),
        ("04/03/2026", "dmy"),
        ("4.3.2026 9:05", "dmy"),
        ("04-03-2026 09:05:00 +01:00", "dmy"),
        ("2026.03.04", None),
        ("04.03.26", None),
        ("04/03/2026 9:05 PM", None),
        ("04.03.2026, 09:05", None),
        ("4 Mar 2026", None),
        ("1767225600", None),
        ("2026-03-04 09:05 CET", None),
        ("2026/03-04", None),
        ("04/03.2026", None),
    ],
)
def test_what_is_taken_for_a_date_is_what_the_build_reads(
    written: str, order: str | None, memory: Engine, tmp_path: Path
) -> None:
    lines = proposed(memory, tmp_path, f"{written};2.50")
    assert ("ordered_at" in lines["columns"]) is (order is not None)
    if order is not None:
        assert lines.get("date_order", "ymd") == order
    # The macro of the build, with the order that was decided, or any of them where it was refused.
    for each in [order] if order else ["ymd", "dmy", "mdy"]:
        reading = f"seg_sql.try_timestamp(x, '{each}')"
        assert (build_reads(memory, reading, written) is not None) is (order is not None)


def proposed(memory: Engine, folder: Path, line: str) -> dict[str, Any]:
    """Return what is proposed for a file of twelve equal lines, each a date and an amount."""
    path = folder / "orders.csv"
    path.write_text("\n".join(["order_date;amount", *[line] * 12]), "utf-8")
    proposal = init_from_file(str(path), folder, "shop", memory)
    lines: dict[str, Any] = yaml.safe_load(proposal.files["seg_sql.yml"])["inputs"]["order_lines"]
    return lines


def build_reads(memory: Engine, reading: str, text: str) -> Any:
    """Return what a macro of the build makes of a text."""
    bare: Any = SimpleNamespace(
        dir=FIXTURES, macros=tuple(resources.MACROS.glob("*.sql")), template_vars=dict
    )
    template = "select {{ " + reading + " }}"
    sql = Renderer(bare, "duckdb").render(template, "a test", x=memory.literal(text)).sql
    return memory.fetch(sql).rows[0][0]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1250", 1250.0),
        ("+12.5", 12.5),
        ("-.5", -0.5),
        ("1e3", 1000.0),
        ("1,234.56", 1234.56),
        ("1,234,567", 1234567.0),
        ("12,5", 12.5),
        ("-1.234,56", -1234.56),
        ("1.234.567", 1234567.0),
        ("1234,567", 1234.567),
        # Assumed, and said: a comma between thousands.
        ("1,234", 1234.0),
        ("1 234,56", None),
        ("(12.00)", None),
        ("12.5.6", None),
        ("$5", None),
        ("5 EUR", None),
        ("1.250,-", None),
    ],
)
def test_what_is_taken_for_a_number_is_what_the_build_reads(
    written: str, number: float | None, memory: Engine, tmp_path: Path
) -> None:
    lines = proposed(memory, tmp_path, f"2026-03-04;{written}")
    assert ("amount" in lines["columns"]) is (number is not None)
    comma = [lines.get("decimal_comma", False)] if number is not None else [False, True]
    for each in comma:
        assert build_reads(memory, f"seg_sql.try_number(x, {each})", written) == number


def test_some_unreadable_dates_are_counted(look: Any, changed: Any, noted: Any) -> None:
    day = (r"\b17\d{8}\b", "2026-03-04")
    path = changed("epoch.csv", day, ("^1003(.*)2026-03-04", r"1003\1soon"))
    proposal, lines = look(path)
    assert lines["columns"]["ordered_at"] == "created"
    # 1 of 17 lines.
    noted(proposal, "6 % of the values of created cannot be read as dates, as soon")


def test_distances_from_utc_ask_for_a_time_zone(look: Any, noted: Any) -> None:
    # shopify.csv: `2026-01-15 13:29:00 +0100`.
    proposal, _ = look(FIXTURES / "shopify.csv")
    noted(proposal, "carry their distance from UTC", "Europe/Paris")
    assert yaml.safe_load(proposal.files["seg_sql.yml"])["vars"] == {"timezone": "UTC"}


def test_decimal_commas(look: Any, noted: Any) -> None:
    # german.csv: 1,99 and 2.160,00, fields parted by semicolons.
    proposal, lines = look(FIXTURES / "german.csv")
    assert lines["decimal_comma"] is True
    assert lines["date_order"] == "dmy"
    noted(proposal, "Einzelpreis has decimal commas, as 1,99")


def test_a_comma_that_may_part_thousands_is_left_to_the_user(
    look: Any, changed: Any, noted: Any
) -> None:
    path = changed("german.csv", (r";[\d.]+,\d\d;", ";1,250;"))
    proposal, lines = look(path)
    assert "decimal_comma" not in lines
    assert "# decimal_comma: true" in proposal.files["seg_sql.yml"]
    noted(proposal, "1,250 in Einzelpreis is read with a comma between thousands")


def test_commas_and_points_together_are_said(look: Any, changed: Any, noted: Any) -> None:
    path = changed("german.csv", (r"(;\d);", r"\1.50;"))
    proposal, _ = look(path)
    noted(proposal, "But Menge has decimal points")


def test_english_thousands_are_no_decimal_commas(look: Any, changed: Any) -> None:
    path = changed("order_total_only.csv", (r"\d+(\.\d\d)$", r'"1,250\1"'))
    proposal, lines = look(path)
    assert "decimal_comma" not in lines
    assert not any("comma" in note for note in proposal.notes)


def test_numbers_that_cannot_be_read_are_counted(look: Any, changed: Any, noted: Any) -> None:
    path = changed("cancelled.csv", (r"^(1002,.*),.*,delivered$", r"\1,n/a,delivered"))
    proposal, lines = look(path)
    assert lines["columns"]["amount"] == "amount"
    noted(proposal, "of the values of amount cannot be read as numbers, as n/a")
