"""A part of the project built as of a day other than what it reads."""

from __future__ import annotations

import datetime

import pytest
from build_shop import BuildShop
from shop import by

from seg_sql.errors import SelectionError, StartError
from seg_sql.events import Log, Said
from seg_sql.forget import forget_day
from seg_sql.inputs import Limits
from seg_sql.session import Settings


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


def test_an_export_that_was_cut_off_is_told(shop: BuildShop) -> None:
    """The lines of 1 and 31 March go missing: as_of, which is not given, goes back with them."""
    shop.run("run", "+rfm")
    assert _warnings(shop) == []
    shop.execute(f"delete from {shop.raw('raw')} where ordered_at >= '2026-03-01'")

    assert shop.run("run", "+rfm") == 0

    [warning] = [each for each in shop.log.of(Said) if each.level == "warn"]
    assert warning.text == (
        "as_of goes back from 2026-04-01 to 2026-02-06: the newest order lines of the last build"
        " are not there."
    )
    assert "`seg-sql forget --as-of 2026-04-01` takes that day out" in str(warning.hint)


def test_a_day_that_was_given_may_go_back(shop: BuildShop) -> None:
    shop.run("run", "+rfm")
    shop.run("run", "+rfm", vars={"as_of": "2026-03-15"})
    assert _warnings(shop) == []


def test_lines_that_go_missing_are_told(shop: BuildShop) -> None:
    """5 of 6 lines are left, the newest among them; a sample has fewer by intent."""
    shop.run("run", "+rfm")
    shop.execute(f"delete from {shop.raw('raw')} where customer_id = 'bob'")

    shop.run("run", "+rfm")

    assert _warnings(shop) == ["The input order_lines has 5 lines, and had 6 in the last build."]
    shop.run("run", "+rfm", limits=Limits(sample=0.5))
    assert not [text for text in _warnings(shop) if "in the last build" in text]


def test_a_build_after_one_without_lines_has_lost_none(shop: BuildShop) -> None:
    """The as_of of `--empty` is tomorrow, later than any of orders that are there."""
    shop.run("run", "+rfm", limits=Limits(empty=True))
    shop.run("run", "+rfm")
    assert _warnings(shop) == []


def test_a_wrong_day_goes_from_the_history(shop: BuildShop) -> None:
    for day in ("2026-03-15", "2026-04-01", "2062-04-01"):
        shop.build("+rfm", "+segment_moves", vars={"as_of": day})
    history = ("customer_segment_history", "segment_cut_points")
    before = {name: shop.rows(name) for name in history}

    def forget(day: str, *, yes: bool = True) -> int:
        settings = Settings(project_dir=shop.folder, profiles_dir=shop.folder)
        shop.log = Log()
        wrong = datetime.date.fromisoformat(day)
        return forget_day(settings, shop.log, wrong, confirm=lambda _: yes)

    assert forget("2062-04-01", yes=False) == 1
    assert {name: shop.rows(name) for name in history} == before

    assert forget("2062-04-01") == 0

    for name in history:
        kept = [row for row in before[name] if row["as_of"].year == 2026]
        assert 0 < len(kept) < len(before[name])
        assert by(shop.rows(name), *kept[0]) == by(kept, *kept[0])
    assert shop.log.of(Said)[-1].text.endswith("of as_of 2062-04-01.")
    with pytest.raises(SelectionError, match="no as_of 2062-04-01"):
        forget("2062-04-01")


def test_forget_takes_customers_or_a_day(shop: BuildShop) -> None:
    for words in ((), ("--as-of", "2026-01-01", "--customer-id-file", "ids.csv")):
        done = shop.command("forget", *words)
        assert done.returncode == 2
        assert "either customers, or --customer-id-file, or --as-of" in done.stderr


def test_what_is_read_and_was_built_with_other_options_is_told(shop: BuildShop) -> None:
    """rfm_cut_points scored 5 recencies; the window of rfm_values is none."""
    shop.run("run", "+rfm")
    shop.run("run", "rfm")
    assert _warnings(shop) == []
    shop.seed("rfm_map_mine", "r_score,f_score,m_score,segment,segment_order\n,,,Everybody,1\n")
    options = {"bins": {"recency": 2}, "segment_map": "mine", "window": 30}
    shop.write(models={"rfm": options})

    shop.run("run", "rfm_cut_points", "rfm")

    assert _warnings(shop) == [
        "rfm reads rfm_segment_map, which was built with rfm's segment_map rf_10 and not mine.",
        "rfm_cut_points reads rfm_values, which was built with rfm's window none and not 30.",
    ]
    shop.run("run", "+rfm")
    assert _warnings(shop) == []
