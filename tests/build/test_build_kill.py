"""Kill -9 at any moment: yesterday's tables stay whole, and the next build succeeds."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from build_shop import BASE, BuildShop
from shop import COLUMNS

# Two loads of the input; each gives other rows in every table that depends on it.
LOADS = [
    [
        (f"c{number}", f"o{number}-{k}", f"2026-0{1 + k % 3}-{10 + number}", "mug", 1 + k, price)
        for number in range(6)
        for k in range(number + 1)
    ]
    for price in (2.5, 3.5)
]
CHANGING = ("order_lines_clean", "orders", "rfm_values", "rfm", "rfm_segments", "cohort_retention")
EVENTS = 82


def load(shop: BuildShop, day: int) -> None:
    """Exchange the rows of the raw table, on which the published view depends."""
    with shop.engine() as engine:
        engine.execute(f"delete from {shop.raw('raw')}")
        engine.insert("raw_raw", list(COLUMNS), LOADS[day])


def published(shop: BuildShop) -> dict[str, Any]:
    with shop.engine() as engine:
        return {
            name: sorted(engine.fetch(f"select * from {engine.relation(name)}").rows, key=repr)
            for name in CHANGING
        }


def kill_after(shop: BuildShop, events: int) -> None:
    """Start a build and kill it after so many of its events (lines of JSON)."""
    chosen = ("-s", " ".join(BASE))
    build = shop.start("build", "--log-format", "json", "--wait", "60", *chosen)
    with build:
        assert build.stderr is not None
        for _ in range(events):
            if not build.stderr.readline():
                break
        build.kill()


@pytest.fixture
def two_days(shop: BuildShop) -> tuple[BuildShop, list[dict[str, Any]]]:
    """A shop, and the tables of each load when nothing goes wrong."""
    days = []
    for day in (1, 0):
        load(shop, day)
        shop.build(*BASE)
        days.insert(0, published(shop))
    for name in CHANGING:
        assert days[0][name] != days[1][name]
    return shop, days


def test_killed_at_any_moment(two_days: tuple[BuildShop, list[dict[str, Any]]]) -> None:
    shop, days = two_days
    # From the first line to the last, a little off each event.
    moments = random.Random(1).sample(range(1, EVENTS), 12)
    seen = set()
    for turn, events in enumerate(sorted(moments)):
        today = 1 - turn % 2
        load(shop, today)
        kill_after(shop, events)
        found = published(shop)
        for name in CHANGING[1:]:
            assert found[name] in (days[0][name], days[1][name]), (events, name)
            seen.add(found[name] == days[today][name])
        # A view has no rows of its own: it shows today's lines.
        assert found["order_lines_clean"] == days[today]["order_lines_clean"]
        # What reads another table is never newer than that.
        for above, below in (
            ("orders", "rfm_values"),
            ("rfm_values", "rfm"),
            ("rfm", "rfm_segments"),
        ):
            if found[below] == days[today][below]:
                assert found[above] == days[today][above], (events, above, below)
        shop.build(*BASE, wait=60)
        assert published(shop) == days[today]
        assert shop.hidden() == []
    # Some kills came before a table was published and some after.
    assert seen == {True, False}


def test_killed_in_a_copy(duckdb_shop: BuildShop) -> None:
    """The file is the old one until the new one is whole."""
    shop = duckdb_shop
    shop.write(publish="copy")
    load(shop, 0)
    shop.build(*BASE)
    before = published(shop)
    file = Path(shop.target.path)
    load(shop, 1)
    for events in (1, 25, 50, 70):
        inode = file.stat().st_ino
        kill_after(shop, events)
        assert file.stat().st_ino == inode
        found = published(shop)
        for name in CHANGING[1:]:
            assert found[name] == before[name]
    shop.build(*BASE, wait=60)
    assert published(shop)["rfm"] != before["rfm"]
    assert {path.name for path in file.parent.glob("*.duckdb*")} == {file.name}
