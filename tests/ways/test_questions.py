"""The ten ready questions run on both engines, and answer what can be counted by hand."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from few_orders import ORDERS
from shop import Shop

FOLDER = Path(__file__).parents[2] / "docs" / "questions"
FILES = sorted(FOLDER.glob("*.sql"))


def ask(shop: Shop, question: str) -> list[dict[str, Any]]:
    with shop.engine() as engine:
        schema = engine.quote(shop.target.schema_)
        engine.execute(f"set search_path = {schema}" if shop.is_postgres else f"use {schema}")
        return engine.fetch((FOLDER / f"{question}.sql").read_text("utf-8")).dicts()


def column(rows: list[dict[str, Any]], *names: str) -> list[Any]:
    """Return the values of some columns, numbers as floats."""
    found = [[row[name] for name in names] for row in rows]
    plain = [[float(v) if isinstance(v, (Decimal, int)) else v for v in row] for row in found]
    return [row[0] for row in plain] if len(names) == 1 else [tuple(row) for row in plain]


@pytest.fixture
def built(shop: Shop) -> Shop:
    # One more customer, who bought once, 44 days before as_of.
    shop.load([*ORDERS, ("fay", "10", "2026-02-16 10:00", "pot", 1, 100.0)])
    shop.build("+rfm_segments", "+customer_lifecycle", "+cohort_retention", "+input_quality")
    return shop


def test_there_are_ten_and_the_page_names_each():
    assert len(FILES) == 10
    named = re.findall(r"\]\((\w+\.sql)\)", (FOLDER / "README.md").read_text("utf-8"))
    assert named == [path.name for path in FILES]
    for path in FILES:
        assert path.read_text("utf-8").startswith("-- ")


def test_the_answers_counted_by_hand(built: Shop):
    segments = ask(built, "01_segments")
    assert sum(column(segments, "customers")) == 6
    assert sum(column(segments, "revenue")) == 244.75
    assert sum(column(segments, "percent_of_revenue")) == pytest.approx(100, abs=0.3)
    # The gaps of those who came back are 31, 40 and 45 days: 80 % of them up to 43, 95 % up to
    # 44.5. So fay, after 44 days, is at risk; eve, after 89, has churned.
    assert column(ask(built, "02_good_customers_at_risk"), "customer_id", "spent") == [("fay", 100)]
    # Of ann, bob and eve (January) one was back in February; of dee and fay (February) one in March.
    retention = ask(built, "05_retention")
    assert column(retention, "customers", "month_1", "month_3") == [
        (3, 33.3, None),
        (2, 50, None),
        (1, None, None),
    ]
    stages = ask(built, "06_stages")
    assert sum(column(stages, "customers")) == 6
    assert sum(column(stages, "at_risk")) == 1
    # By the end of March the three of January had spent 19.25 + 43.5 + 40.
    assert column(ask(built, "07_value_of_cohorts"), "after_3_months") == [34.25, None, None]
    # fay 100, bob 43.5, eve 40, dee 28, ann 19.25, cid 14, of 244.75.
    tenths = ask(built, "08_concentration")
    assert column(tenths, "tenth") == [1, 2, 3, 4, 5, 6]
    assert column(tenths, "percent_of_revenue") == [40.9, 17.8, 16.3, 11.4, 7.9, 5.7]
    quality = ask(built, "09_data_quality")
    assert column(quality, "reason", "rows", "amount") == [
        ("kept", 9, 244.75),
        ("no customer", 1, 3.5),
    ]
    builds = ask(built, "10_last_builds")
    assert {row["model"] for row in builds} >= {"rfm", "orders", "cohort_retention"}
    assert {row["status"] for row in builds} == {"success"}


def test_the_moves_counted_by_hand(shop: Shop):
    for as_of in ("2026-03-01", "2026-04-01"):
        shop.build("+segment_moves", vars={"as_of": as_of})

    moves = ask(shop, "03_moves")
    # On March 1 there were ann, bob, dee and eve; cid came in March.
    assert sum(column(moves, "customers")) >= 1
    assert column([row for row in moves if row["from_segment"] == "new customer"], "customers") == [
        1
    ]
    assert {str(row["from_as_of"]) for row in moves} == {"2026-03-01"}
    assert {str(row["to_as_of"]) for row in moves} == {"2026-04-01"}
    reasons = dict(column(ask(shop, "04_reasons_of_moves"), "reason", "customers"))
    assert reasons["new"] == 1
    assert sum(reasons.values()) == sum(column(moves, "customers"))
