"""Lists of a group's values: gathered, without equal ones, counted, and back in rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seg_sql.engines import Engine

BOUGHT = [("a", 1), ("a", 2), ("a", 2), ("b", 3)]


ROWS = " union all ".join(f"select '{basket}' as basket, {item} as item" for basket, item in BOUGHT)
LISTED = """
    select basket, items, item
    from (
        select
            basket,
            {{ seg_sql.list_size('items') }} as items,
            {{ seg_sql.unnested('items') }} as item
        from (
            select basket, {{ gathered }} as items
            from ({{ rows }}) as bought
            group by basket
        ) as baskets
    ) as listed
    order by basket, item
"""


def test_a_list_comes_back_in_rows(engine: Engine, render: Callable[..., str]) -> None:
    every = render(LISTED, rows=ROWS, gathered=render("{{ seg_sql.list_of('item') }}"))
    assert engine.fetch(every).rows == [("a", 3, 1), ("a", 3, 2), ("a", 3, 2), ("b", 1, 3)]
    once = render(LISTED, rows=ROWS, gathered=render("{{ seg_sql.set_of('item') }}"))
    assert engine.fetch(once).rows == [("a", 2, 1), ("a", 2, 2), ("b", 1, 3)]


def test_a_set_holds_a_number_once(engine: Engine, render: Callable[..., str]) -> None:
    # Some share one of the 64 bits that duckdb__set_of looks at first, some are there twice.
    gathered = render("{{ seg_sql.set_of('item') }}")
    for items in ([0, 64, 128], [5, 5], [5, 69, 5], list(range(200)), [2_000_000_000] * 3):
        rows = " union all ".join(f"select 'a' as basket, {item} as item" for item in items)
        found = engine.fetch(render(LISTED, rows=rows, gathered=gathered)).rows
        assert [row[2] for row in found] == sorted(set(items))


def test_a_sieve_lets_through_what_shares_a_place(
    engine: Engine, render: Callable[..., str]
) -> None:
    sieve = render(
        "select {{ seg_sql.sieve_of('item') }} as sieve"
        " from (select 0 as item union all select 7 union all select 7 union all select 3000)"
        " as bought"
    )
    numbers = [0, 1, 6, 7, 8, 1023, 1024, 2023, 3000, 3001, 7 + 1024, 3000 - 1024]
    listed = " union all ".join(f"select {number} as item" for number in numbers)
    sql = render(
        """
        select {{ seg_sql.unnested('items') }} as item
        from (
            select {{ seg_sql.sifted('items', 'sieve') }} as items
            from (select {{ seg_sql.list_of('item') }} as items from ({{ listed }}) as rows)
                as gathered
            cross join ({{ sieve }}) as sieves
        ) as sifted
        order by 1
        """,
        listed=listed,
        sieve=sieve,
    )
    places = {0, 7, 3000 % 1024}
    assert [row[0] for row in engine.fetch(sql).rows] == [
        number for number in sorted(numbers) if number % 1024 in places
    ]


def test_some_number_tells_rows_apart(engine: Engine, render: Callable[..., Any]) -> None:
    engine.create(
        "numbered_rows", "table", " union all ".join(f"select {n} as n" for n in range(9))
    )
    relation = engine.relation("numbered_rows")
    found = engine.fetch(render("select {{ seg_sql.some_number() }} as number from " + relation))
    numbers = {row[0] for row in found.rows}
    assert len(numbers) == 9
    assert all(0 <= number < 2**30 for number in numbers)
