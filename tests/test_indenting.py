"""SQL of several templates as one text: only where lines begin and break is changed."""

from __future__ import annotations

import re

import pytest

from seg_sql.indenting import indented

# A model within a statement within another, as templates leave them.
GIVEN = """
-- What it is.
    select
        key0,
        case label
            when 0 then least(d1, d2)
            else d0
            end as best,
        'two
  lines (' as text
        from (
-- The points.
select
    customer_id as key0, -- see (below
    (x0 - 1) as d0
    from (-- The model.

select greatest(
    a,
    b
) as x0
from "a (table") as points
            
where x0 is not null
    and x0 < 1
    ) as labelled
"""  # noqa: W293
EXPECTED = """
-- What it is.
select
    key0,
    case label
        when 0 then least(d1, d2)
        else d0
    end as best,
    'two
  lines (' as text
from (
    -- The points.
    select
        customer_id as key0, -- see (below
        (x0 - 1) as d0
    from (
        -- The model.
        select greatest(
            a,
            b
        ) as x0
        from "a (table"
    ) as points
    where x0 is not null
        and x0 < 1
) as labelled
"""


def words(sql: str) -> list[str]:
    return re.findall(r"--[^\n]*|'[^']*'|\"[^\"]*\"|\w+|\S", sql)


def test_brackets_and_clauses_say_where_lines_begin() -> None:
    assert indented(GIVEN).strip() == EXPECTED.strip()


def test_nothing_but_space_is_changed() -> None:
    assert words(indented(GIVEN)) == words(GIVEN)
    assert indented(EXPECTED.strip()) == EXPECTED.strip()


@pytest.mark.parametrize(
    "sql",
    [
        "with\n\na as (\n\n    select 1 as n\n\n)\n\nselect n from a",
        "select string_agg(n,\n    ', '\n) as ns\nfrom a",
        "select n from (\n    select ')' as n\n) as a",
    ],
)
def test_what_is_in_order_stays(sql: str) -> None:
    assert indented(sql) == sql
