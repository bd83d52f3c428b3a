"""macros/dates.sql: dates by hand, then against the standard library."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EACH_EXAMPLE_IN_ONE_SESSION = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=20
)
DATES = st.lists(st.dates(date(1, 1, 1), date(9999, 12, 31)), min_size=1, max_size=40)
MARCH_FIRST = "cast('2026-03-01' as date)"


def test_date_literal_and_as_of_are_dates(value):
    assert value("{{ seg_sql.date_literal('2024-02-29') }}") == date(2024, 2, 29)
    assert value("{{ seg_sql.as_of() }}") == date(2011, 12, 10)


def test_days_between_by_hand(over):
    # 2024 and 2000 are leap years; 2026-01-01 is 59 days before the first of March.
    days = ["2026-03-01", "2026-02-28", "2024-02-29", "2026-01-01", "2026-03-02", None]

    results = over(f"{{{{ seg_sql.days_between('x', \"{MARCH_FIRST}\") }}}}", days, "date")

    assert results == [0, 1, 731, 59, -1, None]


def test_days_between_counts_days_and_not_hours(over):
    results = over(
        f"{{{{ seg_sql.days_between('x', \"{MARCH_FIRST}\") }}}}",
        ["2026-02-28 23:59:59", "2026-02-28 00:00:00"],
        "timestamp",
    )

    assert results == [1, 1]


@given(days=DATES)
@EACH_EXAMPLE_IN_ONE_SESSION
def test_days_between_against_the_standard_library(over, days):
    expected = [(date(2026, 3, 1) - day).days for day in days]

    assert over(f"{{{{ seg_sql.days_between('x', \"{MARCH_FIRST}\") }}}}", days, "date") == expected


def test_add_days(over):
    assert over("{{ seg_sql.add_days('x', '1 - 2') }}", ["2024-03-01", None], "date") == [
        date(2024, 2, 29),
        None,
    ]
    assert over(f"{{{{ seg_sql.add_days(\"{MARCH_FIRST}\", 'x') }}}}", [0, 31], "bigint") == [
        date(2026, 3, 1),
        date(2026, 4, 1),
    ]


@given(days=DATES)
@EACH_EXAMPLE_IN_ONE_SESSION
def test_month_floor_and_label_against_the_standard_library(over, days):
    assert over("{{ seg_sql.month_floor('x') }}", days, "date") == [d.replace(day=1) for d in days]
    assert over("{{ seg_sql.month_label('x') }}", days, "date") == [str(d)[:7] for d in days]


def test_month_floor_of_a_timestamp_is_a_date(over):
    assert over("{{ seg_sql.month_floor('x') }}", ["2026-12-31 23:59", None], "timestamp") == [
        date(2026, 12, 1),
        None,
    ]


def test_add_months(over):
    results = over(
        "{{ seg_sql.add_months(\"cast('2026-01-01' as date)\", 'x + 1') }}",
        [-2, 0, 11, None],
        "integer",
    )

    assert results == [date(2025, 12, 1), date(2026, 2, 1), date(2027, 1, 1), None]


def test_months_between_counts_calendar_months(over):
    # From the last day of a month to the first of the next is one month, within a month none.
    days = [
        "2026-02-28",
        "2026-02-01",
        "2026-03-31",
        "2026-04-01",
        "2025-03-31",
        "1999-12-31",
        None,
    ]

    results = over(f"{{{{ seg_sql.months_between('x', \"{MARCH_FIRST}\") }}}}", days, "date")

    assert results == [1, 1, 0, -1, 12, 315, None]


def starts(engine, render, *ends):
    query = "select m.month_start from {{ seg_sql.months(*ends) }} as m order by m.month_start"
    return [day for (day,) in engine.fetch(render(query, ends=ends)).rows]


def test_months_are_the_firsts_of_all_months_touched(engine, render):
    november = [date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1)]

    assert starts(engine, render, "cast('2025-11-01' as date)", "cast('2026-02-01' as date)") == (
        november
    )
    assert starts(engine, render, "cast('2025-11-30' as date)", "cast('2026-02-28' as date)") == (
        november
    )


def test_the_ends_of_months_may_be_scalar_subqueries(engine, render):
    first = "(select min(d) from (values (cast('2026-01-05' as date))) as given (d))"
    last = "(select max(d) from (values (cast('2026-02-05' as date))) as given (d))"

    assert starts(engine, render, first, last) == [date(2026, 1, 1), date(2026, 2, 1)]


@pytest.mark.parametrize(
    "ends",
    [("null", MARCH_FIRST), (MARCH_FIRST, "null"), (MARCH_FIRST, "cast('2026-02-28' as date)")],
)
def test_months_of_nothing_are_none(engine, render, ends):
    assert starts(engine, render, *ends) == []


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (1, 3, [1, 2, 3]),
        (2, 2, [2]),
        (1, 0, []),
        ("1 - 2", "(select max(m) from (values (1)) as given (m))", [-1, 0, 1]),
        ("1", "null", []),
    ],
)
def test_numbers(engine, render, first, last, expected):
    query = render(
        "select s.n from {{ seg_sql.numbers(first, last) }} as s order by s.n",
        first=first,
        last=last,
    )

    assert [n for (n,) in engine.fetch(query).rows] == expected
    assert engine.describe(query)[0].type.lower() == "integer"


def test_dates_and_numbers_join_as_relations(engine, render):
    query = render(
        """
        select m.month_start, s.n, {{ seg_sql.add_days('m.month_start', 's.n') }} as day
        from {{ seg_sql.months("cast('2026-01-01' as date)", "cast('2026-02-01' as date)") }} as m
        cross join {{ seg_sql.numbers(0, 1) }} as s
        order by day
        """
    )
    days = [day for _, _, day in engine.fetch(query).rows]

    january = date(2026, 1, 1)
    assert days == [january + timedelta(days=offset) for offset in (0, 1, 31, 32)]
