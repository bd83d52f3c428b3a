"""macros/readings.sql: text to number and moment; never an error, and what a reader of Python says.

The readers below say the rules once more, in another way than the macros: with split and int, and
with the calendar of the standard library.
"""

from __future__ import annotations

import contextlib
import math
import re
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seg_sql.engines import open_engine

EACH_EXAMPLE_IN_ONE_SESSION = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30
)
BLANKS = " \t\n\r\u00a0"
ANY_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


# Numbers -----------------------------------------------------------------------------------------


def read_number(text, decimal_comma=False):
    """Return the float that a text stands for, or None."""
    text = text.strip(BLANKS)
    if len(text) > 1000:
        return None
    if decimal_comma:
        text = text.translate(str.maketrans(".,", ",."))
    mantissa, _, exponent = text.lower().partition("e")
    whole, point, fraction = mantissa[mantissa[:1] in ("+", "-") :].partition(".")
    groups = whole.split(",")
    if len(groups) > 1:
        proper = 1 <= len(groups[0]) <= 3 and groups[0][0] != "0"
        if not (proper and all(len(group) == 3 for group in groups[1:])):
            return None
    elif not whole and not fraction:
        return None
    digits = exponent[exponent[:1] in ("+", "-") :]
    if "e" in text.lower() and not 1 <= len(digits) <= 3:
        return None
    if not set("".join([*groups, fraction, digits])) <= set("0123456789"):
        return None
    if point and not whole and not fraction:
        return None
    number = float(text.replace(",", ""))
    return number if math.isfinite(number) else None


NUMBERS = {
    "1": 1.0,
    "-1.5": -1.5,
    "+2": 2.0,
    ".5": 0.5,
    "5.": 5.0,
    "007": 7.0,
    "-0": 0.0,
    " 7 ": 7.0,
    "\t7\r\n": 7.0,
    "\u00a07": 7.0,
    "1e5": 100000.0,
    "1E-5": 0.00001,
    "1.5e+3": 1500.0,
    "1e300": 1e300,
    "1.7976931348623157e308": 1.7976931348623157e308,
    "5e-324": 5e-324,
    "1e-999": 0.0,
    "9" * 151: 1e151,
    "1,234": 1234.0,
    "1,234.56": 1234.56,
    "-1,234,567.8": -1234567.8,
    "12,345": 12345.0,
}
NOT_NUMBERS = [
    *("", " ", "-", "+", ".", "e5", "1e", "1e+", "--1", "+-1", "1-", "1.2.3", "1 2", "- 1"),
    *("12,5", "1,23,456", "1234,567", "0,123", ",123", "1,234,", "1,2345", "1,234.5,6"),
    *("nan", "NaN", "inf", "Infinity", "-infinity", "null", "none", "n/a", "true"),
    *("0x1F", "0b1", "1_000", "1e999", "-1e999", "1e1000", "9" * 400, "9" * 2000, "0.0001e9999"),
    *("$5", "5 EUR", "£5", "5%", "(5)", "\uff11", "\u0661", "½", "5\u2212", "1'000", "1\n2"),
]
COMMA_NUMBERS = {
    "12,5": 12.5,
    "1.234,56": 1234.56,
    "1.234": 1234.0,
    "-1.234.567,8": -1234567.8,
    ",5": 0.5,
    "5,": 5.0,
    "1,5e3": 1500.0,
    "7": 7.0,
}
NOT_COMMA_NUMBERS = ["12.5", "0.123", "1,234.56", "1.23", "1,2,3", "1.234.5", ".", ",", "5 €"]


def test_numbers_by_hand(over):
    assert over("{{ seg_sql.try_number('x') }}", list(NUMBERS)) == list(NUMBERS.values())


def test_what_is_no_number_is_null(over):
    results = over("{{ seg_sql.try_number('x') }}", [*NOT_NUMBERS, None])

    assert dict(zip([*NOT_NUMBERS, None], results, strict=True)) == dict.fromkeys(
        [*NOT_NUMBERS, None]
    )


def test_numbers_with_a_decimal_comma(over):
    texts = [*COMMA_NUMBERS, *NOT_COMMA_NUMBERS]

    results = over("{{ seg_sql.try_number('x', decimal_comma=true) }}", texts)

    assert results == [*COMMA_NUMBERS.values(), *[None] * len(NOT_COMMA_NUMBERS)]


def test_a_number_that_is_a_constant_does_not_raise_either(value):
    # PostgreSQL computes constant expressions while it plans, in arms that are never reached, too.
    assert value("{{ seg_sql.try_number(\"'abc'\") }}") is None
    assert value("{{ seg_sql.try_number(\"'1e999'\") }}") is None
    assert value("{{ seg_sql.try_number('null') }}") is None
    assert value("2 * {{ seg_sql.try_number(\"'1' || '5'\") }}") == 30.0


@given(numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30))
@EACH_EXAMPLE_IN_ONE_SESSION
def test_every_double_is_read_from_its_text(over, numbers):
    assert over("{{ seg_sql.try_number('x') }}", [repr(number) for number in numbers]) == numbers


NUMBER_LIKE = st.one_of(
    st.text("0123456789+-.,eE \t", max_size=12),
    st.from_regex(r"[+-]?[0-9]{1,3}([,.][0-9]{2,4}){0,3}([eE][+-]?[0-9]{1,4})?", fullmatch=True),
    st.from_regex(r"[0-9]{0,3}[.]?[0-9]{0,3}", fullmatch=True).map(lambda text: text * 60),
    ANY_TEXT,
)


@given(texts=st.lists(NUMBER_LIKE, min_size=1, max_size=40), decimal_comma=st.booleans())
@EACH_EXAMPLE_IN_ONE_SESSION
def test_any_text_is_read_as_the_reader_reads_it(over, texts, decimal_comma):
    results = over(f"{{{{ seg_sql.try_number('x', {str(decimal_comma).lower()}) }}}}", texts)

    expected = [read_number(text, decimal_comma) for text in texts]
    assert dict(zip(texts, results, strict=True)) == dict(zip(texts, expected, strict=True))


# Moments -----------------------------------------------------------------------------------------

_MOMENT = re.compile(
    r"([0-9]+)([-/.])([0-9]+)\2([0-9]+)"
    r"(?:[ T]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.]([0-9]{1,9}))?)?"
    r"(?: ?(Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
)


def read_moment(text, date_order="ymd", zone=UTC):
    """Return the datetime without zone that a text stands for, or None."""
    text = text.strip(BLANKS)
    if date_order == "ymd" and re.fullmatch("[0-9]{8}", text):
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    parts = _MOMENT.fullmatch(text)
    if parts is None:
        return None
    first, separator, second, third, hour, minute, seconds, fraction, offset = parts.groups()
    order = date_order
    if len(first) == 4 and separator in ("-/" if date_order == "ymd" else "-"):
        order = "ymd"
    elif date_order == "ymd":
        return None
    found = dict(zip(order, (first, second, third), strict=True))
    if len(found["y"]) != 4 or len(found["m"]) > 2 or len(found["d"]) > 2:
        return None
    try:
        moment = datetime(
            *(int(found[part]) for part in "ymd"), int(hour or 0), int(minute or 0),
            int(seconds or 0), int((fraction or "").ljust(6, "0")[:6]),
        )  # fmt: skip
    except ValueError:
        return None
    if offset is None:
        return moment
    if offset in ("Z", "UTC"):
        offset = "+00:00"
    hours, minutes = int(offset[1:3]), int(offset[3:].strip(":") or 0)
    if hours > 14 or minutes > 59:
        return None
    away = timedelta(hours=hours, minutes=minutes) * (-1 if offset[0] == "-" else 1)
    return moment.replace(tzinfo=timezone(away)).astimezone(zone).replace(tzinfo=None)


YMD = {
    "2026-12-31": datetime(2026, 12, 31),
    "2026/12/31": datetime(2026, 12, 31),
    "20261231": datetime(2026, 12, 31),
    " 2026-12-31\n": datetime(2026, 12, 31),
    "2026-1-5": datetime(2026, 1, 5),
    "2024-02-29": datetime(2024, 2, 29),
    "2000-02-29": datetime(2000, 2, 29),
    "0001-01-01": datetime(1, 1, 1),
    "9999-12-31": datetime(9999, 12, 31),
    "2026-12-31 23:59": datetime(2026, 12, 31, 23, 59),
    "2026-12-31T23:59:58": datetime(2026, 12, 31, 23, 59, 58),
    "2026/12/31 8:05": datetime(2026, 12, 31, 8, 5),
    "2026-12-31 23:59:58.5": datetime(2026, 12, 31, 23, 59, 58, 500000),
    "2026-12-31 23:59:58.123456": datetime(2026, 12, 31, 23, 59, 58, 123456),
    # More digits than a microsecond are cut off, not rounded up into the next day.
    "2026-12-31 23:59:59.999999999": datetime(2026, 12, 31, 23, 59, 59, 999999),
    "2026-12-31 23:59Z": datetime(2026, 12, 31, 23, 59),
    "2026-12-31T23:59:58.5Z": datetime(2026, 12, 31, 23, 59, 58, 500000),
    "2026-12-31 23:59:58 UTC": datetime(2026, 12, 31, 23, 59, 58),
    "2026-12-31 23:30:00+01:00": datetime(2026, 12, 31, 22, 30),
    "2026-12-31 23:30+0530": datetime(2026, 12, 31, 18, 0),
    "2026-12-31 23:30:00 -05": datetime(2027, 1, 1, 4, 30),
    "2026-12-31 3:30+14:59": datetime(2026, 12, 30, 12, 31),
}
NOT_YMD = [
    *("2026-02-29", "2023-02-30", "1900-02-29", "2026-04-31", "2026-13-01", "2026-00-01"),
    *("2026-01-00", "2026-01-32", "0000-01-01", "20260229", "2026123", "202612311"),
    *(
        "26-12-31",
        "31-12-26",
        "31/12/2026",
        "12/31/2026",
        "31.12.2026",
        "2026.12.31",
        "12345-01-01",
    ),
    *("2026-12/31", "2026/12-31", "2026-12", "2026", "2026-123", "2026--1-1", "-2026-01-01"),
    *("2026-12-31 24:00", "2026-12-31 23:60", "2026-12-31 23:59:60", "2026-12-31 8"),
    *("2026-12-31 8:5", "2026-12-31 08:05:5", "2026-12-31  08:05", "2026-12-31 08:05:", "08:05"),
    *("2026-12-31 08:05:00.", "2026-12-31 08:05:00.1234567890", "2026-12-31 08:05 PM"),
    *("2026-12-31Z", "2026-12-31+01:00", "2026-12-31 08:05+15", "2026-12-31 08:05+1"),
    *("2026-12-31 08:05+01:60", "2026-12-31 08:05 CET", "2026-12-31 08:05 Europe/London"),
    *("", " ", "-", "now", "today", "epoch", "infinity", "-infinity", "2026-12-31 BC", "J2451187"),
    *(
        "Dec 31, 2026",
        "2026-Dec-31",
        "2026-W01-1",
        "46022",
        "1767225600",
        "\uff12\uff10\uff12\uff16-12-31",
    ),
]
DMY = {
    "31/12/2026": datetime(2026, 12, 31),
    "31.12.2026": datetime(2026, 12, 31),
    "31-12-2026": datetime(2026, 12, 31),
    "1.2.2026": datetime(2026, 2, 1),
    "01/02/2026 8:26": datetime(2026, 2, 1, 8, 26),
    "29.02.2024T08:26:01.5": datetime(2024, 2, 29, 8, 26, 1, 500000),
    "31.12.2026 23:30+01:00": datetime(2026, 12, 31, 22, 30),
    # A date that starts with the year cannot be mistaken.
    "2026-12-31": datetime(2026, 12, 31),
}
NOT_DMY = [
    *("12/31/2026", "31/12-2026", "31.12.26", "1/12/20263", "29.02.2026", "20261231", "2026/12/31"),
    *("1.2.2026.5", "32.1.2026", "0.1.2026", "1/2/2026Z", "31 12 2026", "011/02/2026"),
]
MDY = {
    "12/31/2026": datetime(2026, 12, 31),
    "1/2/2026": datetime(2026, 1, 2),
    "12/1/2010 8:26": datetime(2010, 12, 1, 8, 26),
    "12-31-2026": datetime(2026, 12, 31),
    "2026-12-31": datetime(2026, 12, 31),
}
NOT_MDY = ["31/12/2026", "2/29/2026", "12/31/26", "12/31/20263", "0/1/2026", "13/1/2026"]


@pytest.mark.parametrize(
    ("date_order", "good", "bad"),
    [("ymd", YMD, NOT_YMD), ("dmy", DMY, NOT_DMY), ("mdy", MDY, NOT_MDY)],
)
def test_moments_by_hand(over, date_order, good, bad):
    results = over(f"{{{{ seg_sql.try_timestamp('x', '{date_order}') }}}}", [*good, *bad])

    expected = {**good, **dict.fromkeys(bad)}
    assert dict(zip([*good, *bad], results, strict=True)) == expected


def test_the_reader_reads_the_same_by_hand():
    for date_order, good, bad in (("ymd", YMD, NOT_YMD), ("dmy", DMY, NOT_DMY)):
        assert {text: read_moment(text, date_order) for text in good} == good
        assert [text for text in bad if read_moment(text, date_order)] == []


def test_the_default_order_is_year_month_day(over):
    assert over("{{ seg_sql.try_timestamp('x') }}", ["2026-01-02", "01/02/2026", None]) == [
        datetime(2026, 1, 2),
        None,
        None,
    ]


def test_dates(over):
    assert over("{{ seg_sql.try_date('x') }}", ["2026-01-02 23:59:59", "20260102", "x", None]) == [
        date(2026, 1, 2),
        date(2026, 1, 2),
        None,
        None,
    ]
    assert over("{{ seg_sql.try_date('x', 'dmy') }}", ["1.2.2026", "1.2.26"]) == [
        date(2026, 2, 1),
        None,
    ]
    assert over("{{ seg_sql.try_date('x', date_order='mdy') }}", ["1/2/2026"]) == [date(2026, 1, 2)]


def test_a_moment_that_is_a_constant_does_not_raise_either(value):
    assert value("{{ seg_sql.try_timestamp(\"'2026-02-31'\") }}") is None
    assert value("{{ seg_sql.try_timestamp(\"'2026-02-31 08:00Z'\") }}") is None
    assert value("{{ seg_sql.try_date('null') }}") is None
    assert value("{{ seg_sql.try_date(\"'2026-' || '02-03'\") }}") == date(2026, 2, 3)


MOMENT_LIKE = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "", "", " ", "1", "x"]),
        st.sampled_from(["2026", "2024", "1900", "2000", "29", "31", "30", "1", "12", "02", "9"]),
        st.sampled_from(["-", "-", "/", ".", " "]),
        st.sampled_from(["1", "02", "2", "4", "12", "31", "29", "13", "0"]),
        st.sampled_from(["-", "-", "/", ".", ""]),
        st.sampled_from(["2026", "2024", "1900", "28", "29", "30", "31", "1", "32", "00"]),
        st.sampled_from(["", "", " 8:05", "T08:05:09", " 23:59:59.9999999", " 24:00", " 8:5"]),
        st.sampled_from(["", "", "Z", " UTC", "+01:00", " -0530", "+14", "-15", "x"]),
    ),
)
COMPACT = st.from_regex("(19|20)[0-9]{2}(0[0-9]|1[0-3])([0-2][0-9]|3[0-2])", fullmatch=True)
ORDERS = st.sampled_from(["ymd", "dmy", "mdy"])


@given(
    texts=st.lists(st.one_of(MOMENT_LIKE, MOMENT_LIKE, COMPACT, ANY_TEXT), min_size=1, max_size=60),
    date_order=ORDERS,
)
@EACH_EXAMPLE_IN_ONE_SESSION
def test_any_text_is_the_moment_the_reader_reads(over, texts, date_order):
    results = over(f"{{{{ seg_sql.try_timestamp('x', '{date_order}') }}}}", texts)

    expected = [read_moment(text, date_order) for text in texts]
    assert dict(zip(texts, results, strict=True)) == dict(zip(texts, expected, strict=True))


@given(moments=st.lists(st.datetimes(), min_size=1, max_size=40))
@EACH_EXAMPLE_IN_ONE_SESSION
def test_every_moment_is_read_from_its_text(over, moments):
    texts = [str(moment) for moment in moments]

    assert over("{{ seg_sql.try_timestamp('x') }}", texts) == moments


ZONE = ZoneInfo("America/New_York")


@given(
    moments=st.lists(
        st.datetimes(
            datetime(1970, 1, 1),
            datetime(2037, 12, 31),
            timezones=st.just(ZoneInfo("Asia/Kolkata")),
        ),
        min_size=1,
        max_size=20,
    )
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=10
)
def test_an_offset_brings_the_moment_to_the_session_s_zone(target, over_on, moments):
    texts = [moment.isoformat(sep=" ") for moment in moments]

    with contextlib.closing(open_engine(target, timezone=ZONE.key)) as opened:
        results = over_on(opened, "{{ seg_sql.try_timestamp('x') }}", texts, "text")

    assert results == [moment.astimezone(ZONE).replace(tzinfo=None) for moment in moments]


def test_a_moment_without_offset_is_no_other_in_any_zone(target, over_on):
    # 02:30 does not exist in New York on that night: no conversion may touch it.
    with contextlib.closing(open_engine(target, timezone=ZONE.key)) as opened:
        results = over_on(
            opened, "{{ seg_sql.try_timestamp('x') }}", ["2026-03-08 02:30", "2026-03-08"], "text"
        )

    assert results == [datetime(2026, 3, 8, 2, 30), datetime(2026, 3, 8)]
