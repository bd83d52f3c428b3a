"""segment_moves: who changed the segment between two days, and why."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from build_shop import LINES, BuildShop
from kept_segments import APRIL, MARCH, NO_CLUSTERS, history

from seg_sql.errors import SelectionError
from seg_sql.session import Settings
from seg_sql.showing import show


@pytest.fixture
def shop(shop: BuildShop) -> BuildShop:
    shop.write(models=NO_CLUSTERS)
    return shop


def test_moves_by_hand(shop: BuildShop) -> None:
    """eve is new in April; ann and bob have not bought in March."""
    for day in (MARCH, APRIL):
        shop.build(vars=day)
    rows = [row for row in shop.rows("segment_moves") if row["source"] == "customer_lifecycle"]
    new = [row for row in rows if row["reason"] == "new"]
    # eve: 30 + 30 in March. 3 customers of either date; their orders are worth 12 + 40 + 60.
    assert [(row["customers"], row["revenue"], row["from_segment"]) for row in new] == [
        (1, 60.0, None)
    ]
    assert sum(row["customers"] for row in rows) == 3
    assert sum(row["revenue"] for row in rows) == 112.0
    assert {row["reason"] for row in rows} <= {"new", "aged", "stayed", "cut_points"}


def test_who_bought_and_churned_since_has_aged(shop: BuildShop) -> None:
    """Weekly buyers; zoe's last purchases are after the earlier as_of, and long before the later."""
    start = datetime.date(2025, 12, 1)
    weeks = {"ann": range(26), "bob": range(26), "zoe": range(11), "max": (0, 1, 2, 24, 25)}
    lines = [
        (name, f"{name}{week}", str(start + datetime.timedelta(weeks=week)), "mug", 1, 5.0)
        for name, all_weeks in weeks.items()
        for week in all_weeks
    ]
    shop.load(lines)
    for day in ("2026-02-01", "2026-06-01"):
        shop.build("+customer_lifecycle", vars={"as_of": day})
    shop.build("+segment_moves", vars={"as_of": "2026-06-01"})
    moves = {
        (row["from_segment"], row["to_segment"]): row["reason"]
        for row in shop.rows("segment_moves")
        if row["source"] == "customer_lifecycle" and row["reason"] != "stayed"
    }
    assert moves == {("active", "churned"): "aged", ("churned", "active"): "bought"}


def test_gone_and_refunded(shop: BuildShop) -> None:
    """With a window of 40 days ann is gone by April: a refund alone is no purchase."""
    shop.load([*LINES, ("ann", "9", "2026-03-10", "mug", -1, 4.5)])
    shop.write(models={"rfm": {"window": 40}, **NO_CLUSTERS})
    for day in (MARCH, APRIL):
        shop.build("+segment_moves", vars=day)
    rows = [row for row in shop.rows("segment_moves") if row["source"] == "rfm"]
    # From 2026-01-20 on only ann had bought in March; from 2026-02-20 on only eve in April.
    assert sorted((row["reason"], row["customers"]) for row in rows) == [("gone", 1), ("new", 1)]


@pytest.mark.parametrize("publish", ["each", "together"])
def test_a_cluster_is_known_by_its_number(shop: BuildShop, publish: str) -> None:
    """Twelve customers with a mug, eight with a thousand pots: no label makes them move."""
    lines = [(f"m{number}", f"m{number}", "2026-02-10", "mug", 1, 5.0) for number in range(12)]
    pots = [
        (f"p{number}", f"p{number}-{day}", f"2026-02-{day}", "pot", 100, 9.0)
        for number in range(8)
        for day in range(10, 20)
    ]
    shop.load([*lines, *pots])
    shop.write(publish=publish, models={"customer_clusters": {"k": 2}})
    shop.build("+segment_moves", vars=MARCH)
    table = f"{shop.schema_}.customer_segment_history"
    relabelled = (
        f"update {table} set segment = 'old ' || segment where source = 'customer_clusters'"
    )
    shop.execute(relabelled)

    def moves() -> list[tuple[str, bool, int]]:
        rows = [row for row in shop.rows("segment_moves") if row["source"] == "customer_clusters"]
        return sorted(
            (row["reason"], row["from_segment"] != row["to_segment"], row["customers"])
            for row in rows
        )

    shop.build("+segment_moves", vars=APRIL)
    assert moves() == [("stayed", False, 8), ("stayed", False, 12)]
    ids = {
        (row["customer_id"][0], row["segment_id"])
        for row in shop.rows("customer_segment_history")
        if row["source"] == "customer_clusters"
    }
    # The largest cluster is 1.
    assert ids == {("m", "all 1"), ("p", "all 2")}
    # Another cluster is a move, also where its label was the same: two of the twelve were elsewhere.
    label = next(r["cluster_label"] for r in shop.rows("customer_clusters") if r["cluster_id"] == 1)
    shop.execute(
        f"update {table} set segment_id = 'all 2', segment = '{label}'"
        " where source = 'customer_clusters' and customer_id in ('m1', 'm2')"
        " and as_of = date '2026-03-01'"
    )
    shop.build("segment_moves", vars=APRIL)
    assert moves() == [("cut_points", True, 2), ("stayed", False, 8), ("stayed", False, 10)]
    # Rows of a time without the column are told by their label. No row is lost.
    shop.execute(f"alter table {table} drop column segment_id")
    before = history(shop)
    assert shop.run("build", "segment_moves", vars=APRIL) == 1
    assert (
        "customer_segment_history was built before it had segment_id: run"
        " `seg-sql build -s +segment_moves`." in shop.said()
    )
    shop.build("+segment_moves", vars=APRIL)
    assert history(shop) == before
    assert moves() == [("cut_points", True, 8), ("cut_points", True, 10), ("stayed", False, 2)]


def test_moves_among_clusters_alone(shop: BuildShop) -> None:
    """Without rfm and customer_lifecycle no customer is looked up between earlier bounds."""
    lines = [(f"m{number}", f"m{number}", "2026-02-10", "mug", 1, 5.0) for number in range(12)]
    shop.load(
        [
            *lines,
            *[(f"p{number}", f"p{number}", "2026-02-10", "pot", 9, 9.0) for number in range(8)],
        ]
    )
    shop.model(
        "customer_clusters",
        """
        {{ config(materialized='kmeans', unique_key='customer_id', k=2) }}
        select customer_id, amount from {{ ref('orders') }} as orders
        """,
    )
    shop.write(models={name: {"enabled": False} for name in ("rfm", "customer_lifecycle")})
    for day in (MARCH, APRIL):
        shop.build("+segment_moves", vars=day)
    assert [(row["reason"], row["customers"]) for row in shop.rows("segment_moves", order="7")] == [
        ("stayed", 8),
        ("stayed", 12),
    ]


def test_moves_between_any_two_days(shop: BuildShop) -> None:
    """The same as segment_moves says when the later day is the last one that was built."""
    days = ("2026-02-10", "2026-03-01", "2026-04-01")
    built = {}
    for day in days:
        shop.build(vars={"as_of": day})
        built[day] = shop.rows("segment_moves", order="3, 4, 5, 6")
    settings = Settings(project_dir=shop.folder, profiles_dir=shop.folder)

    def shown(first: str, last: str) -> list[dict[str, Any]]:
        between = (datetime.date.fromisoformat(first), datetime.date.fromisoformat(last))
        found = show(settings, "segment_moves", inline=None, limit=99, between=between)
        assert found.total == len(found.rows.rows)
        # What most look for stands first.
        sources = list(dict.fromkeys(row["source"] for row in found.rows.dicts()))
        assert sources == ["rfm", "customer_lifecycle"]
        return sorted(
            ({key: row[key] for key in built[days[2]][0]} for row in found.rows.dicts()),
            key=lambda row: [str(value or "~") for value in row.values()],
        )

    def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return sorted(rows, key=lambda row: [str(value or "~") for value in row.values()])

    assert shown(days[1], days[2]) == in_order(built[days[2]])
    # Though the orders of March are known now.
    assert shown(days[0], days[1]) == in_order(built[days[1]])
    assert sum(row["customers"] for row in shown(days[0], days[2])) == 2 * 3
    with pytest.raises(SelectionError, match=r"no as_of 2026-03-02\.\n.*2026-03-01"):
        shown("2026-03-02", "2026-04-01")
    with pytest.raises(SelectionError, match="not earlier"):
        shown("2026-04-01", "2026-03-01")
