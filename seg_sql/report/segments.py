"""The parts on segments, the lifecycle and cohorts."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from seg_sql.report import layouts, marks
from seg_sql.report.figures import OTHERS, Figure, Part, Source, Table
from seg_sql.report.wording import (
    amounts,
    count,
    decimal,
    listed,
    money,
    percent,
    plain,
    round_step,
    sentence,
    share,
)

STAGE_COLOURS = {
    "new": "#3f7fbf",
    "active": "#14746f",
    "reactivated": "#62b0a4",
    "at_risk": "#dd9440",
    "churned": "#c9583f",
}
BARS = 20
Rows = Sequence[Mapping[str, Any]]


def segments(source: Source) -> Part | str:
    """Return the sizes of the segments, what they bring, and how the measures lie."""
    rows = source.rows("segments")
    if not rows:
        return "no customer has a segment"
    customers = sum(row["customers"] for row in rows)
    if customers < source.min_group:
        return "too few customers have a segment"
    revenue = sum(row["revenue"] for row in rows)
    shares = [
        {
            **row,
            "colour": marks.GREY if row["segment"] == OTHERS else marks.colour(place),
            "customer_share": share(row["customers"], customers),
            "revenue_share": share(row["revenue"], revenue),
        }
        for place, row in enumerate(rows)
    ]
    table = Table(
        [
            "Segment",
            "Customers",
            "Share",
            "Revenue",
            "Share",
            "Days since",
            "Orders",
            "Value",
            "What to do",
        ],
        [
            [
                row["segment"],
                count(row["customers"]),
                percent(row["customer_share"]),
                revenue_,
                percent(row["revenue_share"]),
                decimal(row["avg_recency_days"], 0),
                decimal(row["avg_frequency"], 1),
                value,
                row["suggested_action"] or "",
            ]
            for row, revenue_, value in zip(
                shares,
                amounts([row["revenue"] for row in rows]),
                amounts([row["avg_monetary"] for row in rows]),
                strict=True,
            )
        ],
        frozenset(range(1, 8)),
    )  # fmt: skip
    figures = [_shares(shares), _treemap(shares)]
    cells = source.rows("rf_cells")
    if cells:
        figures.append(_grid(cells, customers))
    return Part("Segments", "", [*figures, *_distributions(source)], table)


def _shares(rows: Rows) -> Figure:
    best = max(rows, key=lambda row: row["revenue_share"])
    sides = {"customers": "customer_share", "revenue": "revenue_share"}
    drawn = [
        {
            "name": row["segment"],
            "side": side,
            "value": row[column],
            "label": percent(row[column]),
            "colour": row["colour"],
        }
        for row in rows
        for side, column in sides.items()
    ]
    return Figure(
        "segment-shares",
        "Customers and revenue by segment",
        f"{best['segment']} are {percent(best['customer_share'])} of the customers and bring"
        f" {percent(best['revenue_share'])} of the revenue.",
        marks.paired_bars(drawn, list(sides)),
        Table(
            ["Segment", "Customers", "Revenue"],
            [
                [row["segment"], percent(row["customer_share"]), percent(row["revenue_share"])]
                for row in rows
            ],
            frozenset({1, 2}),
        ),
        note="Pale: share of the customers. Full: share of the revenue.",
    )


def _treemap(rows: Rows) -> Figure:
    paying = sorted((row for row in rows if row["revenue"] > 0), key=lambda row: -row["revenue"])
    largest = paying[:3]
    held = sum(row["revenue_share"] for row in largest)
    drawn = [
        {
            "name": row["segment"],
            "value": row["revenue"],
            "label": f"{money(row['revenue'])} ({percent(row['revenue_share'])})",
            "colour": row["colour"],
            "ink": marks.on(row["colour"]),
        }
        for row in paying
    ]
    reading = (
        f"{listed([row['segment'] for row in largest])} bring {percent(held)} of the revenue."
        if largest
        else "No segment brings revenue."
    )
    return Figure(
        "segment-revenue",
        "Where the revenue comes from",
        reading,
        layouts.treemap(drawn),
        Table(
            ["Segment", "Revenue", "Share"],
            [
                [row["segment"], amount, percent(row["revenue_share"])]
                for row, amount in zip(
                    paying, amounts([row["revenue"] for row in paying]), strict=True
                )
            ],
            frozenset({1, 2}),
        ),
        note="Each area is the revenue of a segment.",
    )


def _grid(cells: Rows, customers: int) -> Figure:
    best_r, best_f = max(c["r_score"] for c in cells), max(c["f_score"] for c in cells)
    most = max(cells, key=lambda cell: (cell["customers"], cell["r_score"], cell["f_score"]))
    highest = max(cell["customers"] for cell in cells)
    found = {(cell["r_score"], cell["f_score"]): cell for cell in cells}
    drawn = []
    for f, r in itertools.product(range(best_f, 0, -1), range(1, best_r + 1)):
        cell = found.get((r, f))
        drawn.append(
            {
                "x": str(r),
                "y": str(f),
                "shade": cell["customers"] / highest if cell else 0,
                "label": percent(share(cell["customers"], customers)) if cell else "",
            }
        )
    return Figure(
        "recency-frequency",
        "Recency by frequency",
        f"The most common pair is recency score {most['r_score']} with frequency score"
        f" {most['f_score']}: {percent(share(most['customers'], customers))} of the customers.",
        marks.heat(
            drawn,
            x="recency score (the highest bought last)",
            y="frequency score",
            width=62,
            height=40,
        ),
        Table(
            ["Recency", "Frequency", "Customers", "Mean value"],
            [
                [
                    str(cell["r_score"]),
                    str(cell["f_score"]),
                    count(cell["customers"]),
                    amount,
                ]
                for cell, amount in zip(
                    cells, amounts([cell["avg_monetary"] for cell in cells]), strict=True
                )
            ],
            frozenset({0, 1, 2, 3}),
        ),
        note="An empty field has too few customers to be shown, or none.",
    )  # fmt: skip


def _distributions(source: Source) -> list[Figure]:
    columns = ("recency_days", "frequency", "monetary")
    spread = source.rows("rfm_spread", columns=columns)[0]
    figures = []
    for column, title, axis, reading in (
        ("recency_days", "Recency", "days since the last purchase",
         "Half of the customers bought within the last {} days."),
        ("frequency", "Frequency", "purchases",
         "Half of the customers have {} or fewer purchases."),
        ("monetary", "Monetary value", "net value of all orders",
         "Half of the customers spent {} or less."),
    ):  # fmt: skip
        median, high = spread[f"{column}_median"], spread[f"{column}_high"]
        width = max(round_step(high, BARS), 1.0 if column != "monetary" else 0.01)
        first = 1.0 if column == "frequency" else 0.0
        last = max(int((high - first) // width), 0)
        rows = source.rows("distribution", column=column, first=first, width=width, last=last)
        if not rows:
            continue
        found = {row["bar"]: row["customers"] for row in rows}
        drawn = []
        for bar in range(min(found), max(found) + 1):
            low = first + bar * width
            name = f"{low:,.6g}" + ("+" if bar == last else "")
            drawn.append({"name": name, "value": found.get(bar, 0)})
        said = money(median) if column == "monetary" else decimal(median, 0)
        figures.append(
            Figure(
                f"distribution-{title.split()[0].lower()}",
                title,
                reading.format(said),
                marks.columns(drawn, title=axis),
                Table(
                    [sentence(axis), "Customers"],
                    [[row["name"], count(row["value"])] for row in drawn],
                    frozenset({0, 1}),
                ),
                note=f"Each bar begins at the number below it and is {width:,.6g} wide; the last"
                " holds all that lies above.",
            )
        )
    return figures


def lifecycle(source: Source) -> Part | str:
    """Return where customers stand in their lifecycle."""
    rows = source.rows("stages")
    if not rows:
        return "no customer has a stage"
    customers = sum(row["customers"] for row in rows)
    if customers < source.min_group:
        return "too few customers have a stage"
    drawn = [
        {
            "name": sentence(plain(row["stage"])),
            "value": row["customers"],
            "label": f"{count(row['customers'])} ({percent(share(row['customers'], customers))})",
            "colour": STAGE_COLOURS.get(row["stage"], marks.GREY),
        }
        for row in rows
    ]
    said = [
        f"{percent(share(row['customers'], customers))} are {plain(row['stage'])}"
        for row in rows
        if row["stage"] != OTHERS
    ]
    figure = Figure(
        "lifecycle-stages",
        "Stages of the lifecycle",
        f"Of all customers {listed(said)}." if said else "No stage is large enough to be shown.",
        marks.bars(drawn, width=270),
        Table(
            ["Stage", "Customers", "Share"],
            [
                [row["name"], count(row["value"]), percent(share(row["value"], customers))]
                for row in drawn
            ],
            frozenset({1, 2}),
        ),
        note="At risk and churned are measured against the customer's own rhythm of purchases.",
    )
    return Part("Lifecycle", "", [figure])


def cohorts(source: Source) -> Part | str:
    """Return how many of each month's new customers came back."""
    rows = source.rows("cohorts")
    later = [row for row in rows if row["period_number"] > 0]
    if not later:
        return "no cohort has a month after its first yet"
    known = [row["retention_rate"] for row in later if row["retention_rate"] is not None]
    highest = max(known, default=0) or 1
    cohorts_ = {
        row["cohort_month"]: row["customers"] for row in reversed(rows) if row["period_number"] >= 0
    }
    order = sorted((month for month in cohorts_ if month), key=str)
    named = {month: f"{month}  ({count(cohorts_[month])})" for month in order}
    if None in cohorts_:
        named[None] = f"Other months ({count(cohorts_[None])})"
    drawn = [
        {
            "x": str(row["period_number"]),
            "y": named[row["cohort_month"]],
            "shade": (row["retention_rate"] or 0) / highest,
            "label": "" if row["retention_rate"] is None else f"{100 * row['retention_rate']:.0f}",
            "place": (list(named).index(row["cohort_month"]), row["period_number"]),
        }
        for row in later
    ]
    # The longest row stands first in the data, so that the months lie in their order.
    periods = [str(number) for number in range(1, max(r["period_number"] for r in later) + 1)]
    drawn.sort(key=lambda row: row["place"])
    for row in drawn:
        del row["place"]
    figure = Figure(
        "cohort-retention",
        "Who comes back, month by month",
        _retention_reading(later),
        marks.heat(
            drawn,
            x="months after the first purchase",
            y="",
            width=31,
            height=22,
            x_order=periods,
        ),
        Table(
            ["First purchase", "Month", "Customers", "Bought again"],
            [
                [
                    row["cohort_month"] or "Other months",
                    str(row["period_number"]),
                    count(row["customers"]),
                    percent(row["retention_rate"]),
                ]
                for row in later
            ],
            frozenset({1, 2, 3}),
        ),
        note="Percent of each month's new customers (their number in brackets) who bought in the"
        f" month. Empty: fewer than {source.min_group} did, or the month is not over.",
        wide=True,
    )
    return Part("Cohorts", "", [figure])


def _retention_reading(rows: Rows) -> str:
    rates = {row["period_number"]: row["rate_of_all"] for row in rows}
    said = [
        f"{percent(rates[period])} in month {period}"
        for period in (1, 3, 6, 12)
        if rates.get(period) is not None
    ]
    if not said:
        return "Too few customers come back to say how many."
    said[0] = said[0].replace(" in", " buy again in", 1)
    return f"Of the new customers of a month, {listed(said)} after their first purchase."
