"""The parts on what changed since the last as_of, and on the quality of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seg_sql.report import marks
from seg_sql.report.figures import OTHERS, Figure, Part, Source, Table
from seg_sql.report.wording import amounts, count, percent, plain, sentence, share

REASONS = {
    "bought": "Bought again",
    "refunded": "Sent something back",
    "aged": "Time has passed",
    "cut_points": "The segments' bounds moved",
}
NEW, GONE = "New", "Gone"
Rows = Sequence[Mapping[str, Any]]


def changes(source: Source) -> Part | str:
    """Return who moved between segments since the last as_of, and why."""
    moves = source.rows("moves")
    totals = source.rows("move_totals")[0]
    if totals["customers"] is None:
        return "there is no earlier as_of to compare with"
    if totals["customers"] < source.min_group or not moves:
        return "too few customers are in the history"
    order = (
        [row["segment"] for row in source.rows("segments")]
        if "rfm_segments" in source.built
        else []
    )
    named = [
        {
            "from": row["from_segment"] or NEW,
            "to": row["to_segment"] or GONE,
            "customers": row["customers"],
            "from_customers": row["from_customers"],
        }
        for row in moves
    ]
    lead = _lead(totals, named, source.min_group)
    figures = [_matrix(named, order, lead)]
    if totals["changed"] >= source.min_group:
        figures.append(_reasons(source.rows("move_reasons")))
    return Part("What changed", lead, figures)


def _lead(totals: Mapping[str, Any], rows: Rows, least: int) -> str:
    """Return the one sentence on top of the part."""
    changed, customers = totals["changed"], totals["customers"]
    text = f"From {totals['from_as_of']} to {totals['to_as_of']}, "
    if changed < least:
        return f"{text}hardly any of {count(customers)} customers changed their segment."
    text += (
        f"{count(changed)} of {count(customers)} customers ({percent(share(changed, customers))})"
        " changed their segment"
    )
    moved = [row for row in rows if row["from"] not in (NEW, row["to"]) and row["to"] != GONE]
    if moved:
        most = max(moved, key=lambda row: (row["customers"], row["from"], row["to"]))
        text += f"; most, {count(most['customers'])}, went from {most['from']} to {most['to']}"
    if totals["new_customers"] >= least:
        text += f"; {count(totals['new_customers'])} are new"
    return f"{text}."


def _matrix(rows: Rows, order: Sequence[str], lead: str) -> Figure:
    known = [*order, *sorted({row[end] for row in rows for end in ("from", "to")} - set(order))]
    froms = [name for name in (NEW, *known) if any(row["from"] == name for row in rows)]
    tos = [name for name in (*known, GONE) if any(row["to"] == name for row in rows)]
    froms = list(dict.fromkeys(froms))
    tos = list(dict.fromkeys(tos))
    totals = {row["from"]: row["from_customers"] for row in rows}
    found = {(row["from"], row["to"]): row["customers"] for row in rows}
    drawn = [
        {
            "x": to,
            "y": start,
            "shade": (-1 if start != to else 1) * share(found.get((start, to), 0), totals[start]),
            "label": count(found[start, to]) if (start, to) in found else "",
        }
        for start in froms
        for to in tos
    ]
    kept = [row for row in rows if row["from"] == row["to"]]
    steady = max(kept, key=lambda row: share(row["customers"], totals[row["from"]]), default=None)
    reading = lead
    if steady is not None:
        kept_share = percent(share(steady["customers"], totals[steady["from"]]))
        reading = f"{steady['from']} is the steadiest segment: {kept_share} of it stayed."
    return Figure(
        "moves",
        "From segment to segment",
        reading,
        marks.heat(drawn, x="to", y="from", width=64, height=28, slanted=True),
        Table(
            ["From", "To", "Customers"],
            [[row["from"], row["to"], count(row["customers"])] for row in rows],
            frozenset({2}),
        ),
        note="Blue: stayed. Orange: moved. The shade is the share of those who were in the segment"
        " before. An empty field has too few customers to be shown, or none.",
        wide=True,
    )


def _reasons(moved: Rows) -> Figure:
    everyone = sum(row["customers"] for row in moved)
    first = next((row for row in moved if row["reason"] != OTHERS), None)
    reading = "No reason is frequent enough to be named."
    if first is not None:
        part = percent(share(first["customers"], everyone))
        reading = f"Of those who changed their segment, {part} {_because(first['reason'])}."
    drawn = [
        {
            "name": REASONS.get(row["reason"], sentence(plain(row["reason"]))),
            "value": row["customers"],
            "label": f"{count(row['customers'])} ({percent(share(row['customers'], everyone))})",
            "colour": marks.SECOND,
        }
        for row in moved
    ]
    return Figure(
        "move-reasons",
        "Why customers moved",
        reading,
        marks.bars(drawn, width=210),
        Table(
            ["Reason", "Customers", "Share"],
            [
                [row["name"], count(row["value"]), percent(share(row["value"], everyone))]
                for row in drawn
            ],
            frozenset({1, 2}),
        ),
    )


def _because(reason: str) -> str:
    return {
        "bought": "bought again",
        "refunded": "sent something back",
        "aged": "only waited: time has passed",
        "cut_points": "did nothing: the bounds of the segments moved",
    }.get(reason, f"did so for the reason {plain(reason)}")


def quality(source: Source) -> Part | str:
    """Return what was read, and what was dropped and why."""
    rows = source.rows("quality")
    lines = [row for row in rows if row["input"] == "order_lines"]
    # A possible duplicate is a line that is kept as well.
    dropped = [row for row in lines if row["action"] == "dropped"]
    read = sum(row["rows"] for row in lines)
    if not read:
        return "no order line was read"
    lost = sum(row["rows"] for row in dropped)
    reading = (
        f"Of {count(read)} order lines {count(lost)} ({percent(share(lost, read))}) were dropped"
    )
    if dropped:
        worst = max(dropped, key=lambda row: (row["rows"], row["reason"]))
        if 2 * worst["rows"] > lost:
            how_many = "all" if len(dropped) == 1 else "most"
            reading += f", {how_many} of them because of: {worst['reason']}"
        else:
            reading += f" for {len(dropped)} reasons"
    drawn = [
        {
            "name": row["reason"],
            "value": row["rows"],
            "label": f"{count(row['rows'])} ({percent(share(row['rows'], read))})",
            "colour": "#c9583f" if row["action"] == "dropped" else "#14746f",
        }
        for row in lines
    ]
    table = Table(
        ["Input", "Reason", "", "Rows", "Orders", "Amount"],
        [
            [
                row["input"],
                row["reason"],
                row["action"],
                count(row["rows"]),
                "" if row["orders"] is None else count(row["orders"]),
                amount,
            ]
            for row, amount in zip(rows, amounts([row["amount"] for row in rows]), strict=True)
        ],
        frozenset({3, 4, 5}),
    )
    figure = Figure(
        "input-quality",
        "What was read",
        f"{reading}.",
        marks.bars(drawn, width=220),
        table,
        note="Green: kept, and what was remarked of it. Red: dropped.",
    )
    return Part("Data quality", "", [figure], table)
