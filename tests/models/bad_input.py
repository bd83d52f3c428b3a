"""Lines that are bad, and what a build says and counts of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from shop import Shop

from seg_sql.errors import SegSqlError
from seg_sql.events import Said, TestFinished

# The tables of these tests; the algorithms have tests of their own.
EVERYTHING = ("+rfm_segments", "+customer_lifecycle", "+cohort_retention", "+input_quality")
LINE = ("customer_id", "order_id", "ordered_at", "amount")


def refusal(shop: Shop, *select: str, **options: Any) -> SegSqlError:
    """Build what cannot be built; return the error that ends the command before it starts."""
    with pytest.raises(SegSqlError) as caught:
        shop.run("build", *select, **options)
    assert caught.value.exit_code == 2
    assert "\n" not in caught.value.message
    return caught.value


def line_of(shop: Shop, text: str) -> str:
    """Return `:<line>`, the end of a place in seg_sql.yml, of the first line with this text."""
    lines = (shop.folder / "seg_sql.yml").read_text().splitlines()
    return f"seg_sql.yml:{next(n for n, line in enumerate(lines, 1) if text in line)}"


def quality(shop: Shop, *, of: str = "order_lines") -> dict[str, tuple[str, int, float | None]]:
    """Return action, rows and amount of each reason."""
    rows = [row for row in shop.rows("input_quality") if row["input"] == of]
    return {row["reason"]: (row["action"], row["rows"], row["amount"]) for row in rows}


def statuses(shop: Shop) -> dict[str, str]:
    return {event.name: event.status for event in shop.log.of(TestFinished)}


def warnings(shop: Shop) -> set[str]:
    return {name for name, status in statuses(shop).items() if status == "warn"}


def reconciliation(shop: Shop) -> str:
    return next(said.text for said in shop.log.of(Said) if said.text.startswith("amount read "))


def load_lines(
    shop: Shop, lines: Sequence[Sequence[Any]], columns: Sequence[str] = LINE, **types: str
) -> None:
    shop.load(lines, columns, types={"ordered_at": "timestamp", **types})
