"""A part of the project built as of a day other than what it reads."""

from __future__ import annotations

from build_shop import BuildShop

from seg_sql.events import Said


def _warnings(shop: BuildShop) -> list[str]:
    return [each.text for each in shop.log.of(Said) if each.level == "warn"]


def test_a_model_that_reads_tables_of_another_day_says_so(shop: BuildShop) -> None:
    shop.run("run", "+rfm")  # the day after the last line, 2026-04-01

    shop.run("run", "rfm", vars={"as_of": "2026-03-15"})

    # The segment map is the same on every day.
    assert _warnings(shop) == [
        f"rfm reads {read}, which was built as of 2026-04-01 and not 2026-03-15: its rows mix two days."
        for read in ("rfm_cut_points", "rfm_values")
    ]


def test_a_model_that_reads_tables_of_the_same_day_says_nothing(shop: BuildShop) -> None:
    shop.run("run", "+rfm", vars={"as_of": "2026-03-15"})
    shop.run("run", "+rfm")

    shop.run("run", "rfm")

    assert _warnings(shop) == []
