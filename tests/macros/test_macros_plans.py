"""What guides how a statement is run: no row may depend on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from seg_sql.engines import Engine


@pytest.mark.parametrize("form", ["slice_of", "default__slice_of"])
@pytest.mark.parametrize("key", ["n", "cast(n as varchar(9))"])
def test_slices_part_the_rows(
    engine: Engine, render: Callable[..., str], form: str, key: str
) -> None:
    """Each of 2,000 rows is in one of five slices, and each slice has about a fifth."""
    engine.create(
        "numbered_rows", "table", render("select n from {{ seg_sql.numbers(1, 2000) }} as numbers")
    )
    found = engine.fetch(
        render(
            "select slice, count(*) as rows from (select {{ seg_sql."
            + form
            + "(key, 5) }} as slice"
            " from {{ relation }} as rows) as sliced group by slice order by slice",
            key=key,
            relation=engine.relation("numbered_rows"),
        )
    )
    assert [row[0] for row in found.rows] == [0, 1, 2, 3, 4]
    # 400 +- 18 by chance: five standard deviations.
    assert all(310 < row[1] < 490 for row in found.rows)


def test_a_materialized_cte_is_read_as_any_other(
    engine: Engine, render: Callable[..., str]
) -> None:
    select = "with one as {{ seg_sql.materialized() }} (select 1 as n) select n from one"
    assert engine.fetch(render(select)).rows == [(1,)]
