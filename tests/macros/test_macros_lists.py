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


def test_some_number_tells_rows_apart(engine: Engine, render: Callable[..., Any]) -> None:
    engine.create(
        "numbered_rows", "table", " union all ".join(f"select {n} as n" for n in range(9))
    )
    relation = engine.relation("numbered_rows")
    found = engine.fetch(render("select {{ seg_sql.some_number() }} as number from " + relation))
    numbers = {row[0] for row in found.rows}
    assert len(numbers) == 9
    assert all(0 <= number < 2**30 for number in numbers)
