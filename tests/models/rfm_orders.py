"""Orders and segment maps for RFM by hand, and what was published of them."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Sequence
from typing import Any

from shop import Shop

MEASURES = ("recency", "frequency", "monetary")
SCORES = {"recency": "r_score", "frequency": "f_score", "monetary": "m_score"}
COLUMNS = ("customer_id", "order_id", "ordered_at", "amount")
MAP_HEADER = ["r_score", "f_score", "m_score", "segment", "segment_order", "description",
              "suggested_action"]  # fmt: skip
# The tables of these tests; the algorithms have tests of their own.
EVERYTHING = ("+rfm_segments", "+customer_lifecycle", "+cohort_retention", "+input_quality")
FIRST = datetime.date(2026, 1, 1)


def write_map(shop: Shop, name: str, rows: Sequence[Sequence[Any]]) -> None:
    path = shop.folder / "sql" / "seeds" / f"rfm_map_{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(MAP_HEADER)
        writer.writerows([*row, "", ""] for row in rows)


def load(shop: Shop, lines: Sequence[Sequence[Any]]) -> None:
    """Put lines into the raw table, on which a published view may depend."""
    table = shop.raw("raw")
    with shop.engine() as engine:
        engine.prepare_schema()
        engine.execute(
            f"create table if not exists {table} (customer_id varchar, order_id varchar,"
            " ordered_at date, amount double precision)"
        )
        engine.execute(f"delete from {table}")
        engine.insert("raw_raw", COLUMNS, [list(line) for line in lines])


def cut_points(shop: Shop) -> dict[tuple[str, int], dict[str, Any]]:
    return {(row["measure"], row["score"]): row for row in shop.rows("rfm_cut_points")}


def buyers(*amounts: float, start: int = 0) -> list[tuple[Any, ...]]:
    """One customer an amount: the n-th buys n times, the last time n days after the first day."""
    return [
        (f"c{n:02}", f"{n}-{time}", FIRST + datetime.timedelta(days=n), amount / n)
        for n, amount in enumerate(amounts, start + 1)
        for time in range(n)
    ]
