"""A part of the project built as of a day other than what it reads."""

from __future__ import annotations

import pytest
from build_shop import BuildShop

from seg_sql.errors import StartError
from seg_sql.events import Said


def _warnings(shop: BuildShop) -> list[str]:
    return [each.text for each in shop.log.of(Said) if each.level == "warn"]


def test_a_model_of_a_day_refuses_tables_of_another(shop: BuildShop) -> None:
    shop.run("run", "+rfm")  # the day after the last line, 2026-04-01
    before = shop.rows("rfm")

    # The segment map, which it reads too, is the same on every day.
    with pytest.raises(StartError, match="built as of 2026-04-01 and not 2026-03-15") as error:
        shop.run("run", "rfm", vars={"as_of": "2026-03-15"})

    assert error.value.message == (
        "rfm reads rfm_cut_points, which was built as of 2026-04-01 and not 2026-03-15:"
        " its rows would mix two days."
    )
    assert error.value.hint == "Run with -s +rfm to build what it reads as well."
    assert shop.rows("rfm") == before


def test_a_model_that_says_nothing_of_as_of_warns_of_tables_of_another_day(shop: BuildShop) -> None:
    shop.model("mine", "select count(*) as n from {{ ref('rfm_values') }} as rfm_values")
    shop.run("run", "+rfm +mine")

    assert shop.run("run", "mine", vars={"as_of": "2026-03-15"}) == 0

    assert _warnings(shop) == [
        "mine reads rfm_values, which was built as of 2026-04-01 and not 2026-03-15:"
        " its rows are of that day."
    ]


def test_a_model_that_reads_tables_of_the_same_day_says_nothing(shop: BuildShop) -> None:
    shop.run("run", "+rfm", vars={"as_of": "2026-03-15"})
    shop.run("run", "+rfm")

    shop.run("run", "rfm")

    assert _warnings(shop) == []
