"""segment_moves between any two as_of of the history: `seg-sql show segment_moves --from --to`."""

from __future__ import annotations

import datetime
from typing import Any

from seg_sql.errors import SelectionError
from seg_sql.step import Steps
from seg_sql.workspace import Workspace


def moves_between(
    workspace: Workspace, steps: Steps, first: datetime.date, last: datetime.date
) -> str:
    """Return the SELECT of segment_moves between two as_of.

    The segments are those of the history. What the reasons need of the later date, each customer's
    values, is worked out from the orders that are known today.

    Args:
        workspace: The project, in which segment_moves and what it reads are built.
        steps: The statements of sql/history.
        first: The earlier as_of.
        last: The later as_of.

    Raises:
        SelectionError: The history has none of that day, or the days are the wrong way round.
    """
    if last <= first:
        raise SelectionError(
            f"--from {first} is not earlier than --to {last}.", hint="Give the earlier day first."
        )
    known = [row["as_of"] for row in steps.rows("dates")]
    for day in (first, last):
        if day not in known:
            nearest = sorted(known, key=lambda each: abs((each - day).days))[:3]
            raise SelectionError(
                f"The history has no as_of {day}.",
                hint=f"The nearest: {', '.join(map(str, sorted(nearest)))}."
                " `seg-sql backfill rfm --from D --to D` writes others.",
            )

    between: dict[str, Any] = {"moves_from": first.isoformat(), "moves_to": last.isoformat()}

    def ref(name: str) -> str:
        if name == "orders":
            return steps.sql("orders_before", orders=workspace.ref_sql(name))
        if name == "rfm":
            return steps.sql("rfm_at", rfm_values=workspace.compile("rfm_values", ref=ref))
        if name in ("customer_lifecycle", "move_dates", "unmoved_segments"):
            return f"({workspace.compile(name, ref=ref, **between)})"
        return workspace.ref_sql(name)

    with workspace.renderer.variables({"as_of": last, "as_of_reason": "after as_of"}):
        return workspace.compile("segment_moves", ref=ref, **between)
