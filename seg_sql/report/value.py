"""The part on customer lifetime value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seg_sql.report import marks
from seg_sql.report.figures import Figure, Part, Source, Table
from seg_sql.report.wording import amounts, count, decimal, money, percent, round_step, share

# Repeat purchases from which each row of the matrix begins.
REPEATS = (0, 1, 2, 3, 5, 8, 13)
METRICS = {
    "mae": "Mean error of a customer's orders, either way",
    "rmse": "Root mean square error of a customer's orders",
    "bias": "Orders expected too many, per customer",
    "top_decile_revenue_share": "Share of the revenue from the predicted best tenth",
}
Rows = Sequence[Mapping[str, Any]]


def clv(source: Source) -> Part | str:
    """Return what customers are expected to be worth, and how good that was in the holdout."""
    found = source.group("clv")
    if found is None:
        return "no customer is valued"
    group, note = found
    given = {"group_key": group}
    about = source.rows("clv_model", given=given)[0]
    if about["customers"] < source.min_group:
        return "too few customers are valued"
    figures = [_deciles(source, given, about), _lorenz(source, given)]
    if about["p_alive"] is not None and about["longest_wait"]:
        figures += _matrices(source, given, about)
    table = None
    if {"clv_holdout", "clv_metrics"} <= source.built:
        tested = {**given, "model": about["model"]}
        metrics = source.rows("clv_metrics", given=tested)
        figures += _holdout(source, tested)
        table = _metrics(metrics)
    lead = (
        f"{note}Expected until {about['horizon_end']}: {money(about['clv'])} from"
        f" {count(about['customers'])} customers, by the model {about['model']}."
    )
    return Part("Customer lifetime value", lead, [each for each in figures if each], table)


def _deciles(source: Source, given: Mapping[str, Any], about: Mapping[str, Any]) -> Figure | None:
    rows = source.rows("clv_deciles", given=given)
    if not rows:
        return None
    best = rows[0]
    drawn = [
        {
            "name": f"{row['clv_decile']}",
            "value": row["clv"],
            "label": f"{money(row['avg_clv'])} each",
            "colour": marks.ACCENT,
        }
        for row in rows
    ]
    return Figure(
        "clv-deciles",
        "Value by tenth of the customers",
        f"The best tenth of the customers is expected to bring"
        f" {percent(share(best['clv'], about['clv']))} of the value.",
        marks.bars(drawn, width=290),
        Table(
            ["Tenth", "Customers", "Value", "Value each", "P(alive)", "Orders each"],
            [
                [
                    str(row["clv_decile"]),
                    count(row["customers"]),
                    value,
                    each,
                    decimal(row["p_alive"]),
                    decimal(row["expected_orders"]),
                ]
                for row, value, each in zip(
                    rows,
                    amounts([row["clv"] for row in rows]),
                    amounts([row["avg_clv"] for row in rows]),
                    strict=True,
                )
            ],
            frozenset(range(6)),
        ),
        note="1 is the best tenth. Equal values are in the same tenth.",
    )


def _lorenz(source: Source, given: Mapping[str, Any]) -> Figure | None:
    rows = source.rows("clv_lorenz", given=given)
    rows = [row for row in rows if row["clv_share"] is not None]
    if not rows:
        return None
    points = [(0.0, 0.0), *((row["customer_share"], row["clv_share"]) for row in rows)]
    near = min(points[1:], key=lambda point: abs(point[0] - 0.2))
    return Figure(
        "clv-lorenz",
        "How unequal the value is",
        f"The best {percent(near[0])} of the customers hold {percent(near[1])} of the expected"
        " value.",
        marks.areas(
            [{"x": x, "y": y} for x, y in points],
            x="share of the customers, best first",
            y="share of the value",
        ),
        Table(
            ["Customers", "Value"],
            [[percent(x), percent(y)] for x, y in points[1:]],
            frozenset({0, 1}),
        ),
        note="The dashed line: all customers worth the same.",
    )


def _matrices(source: Source, given: Mapping[str, Any], about: Mapping[str, Any]) -> list[Figure]:
    width = round_step(about["longest_wait"], 12)
    last = max(int(about["longest_wait"] // width), 0)
    rows = source.rows("clv_matrix", given=given, repeats=REPEATS, width=width, last=last)
    if not rows:
        return []
    unit = about["time_unit"] or "unit"

    def repeats(place: int) -> str:
        low = REPEATS[place]
        if place == len(REPEATS) - 1:
            return f"{low}+"
        high = REPEATS[place + 1] - 1
        return f"{low}" if low == high else f"{low}-{high}"

    def wait(place: int) -> str:
        return f"{place * width:,.4g}" + ("+" if place == last else "")

    def those(row: Mapping[str, Any]) -> str:
        low, number = row["wait"] * width, repeats(row["repeats"])
        since = f"{low:,.4g} {unit}s ago or more"
        if row["wait"] < last:
            since = f"{low:,.4g} to {low + width:,.4g} {unit}s ago"
        return f"with {number} repeat purchase{'' if number == '1' else 's'}, the last {since}"

    best = max(rows, key=lambda row: row["expected_orders"])
    least = min(rows, key=lambda row: row["p_alive"])
    said = {
        "expected_orders": f"Most orders, {decimal(best['expected_orders'], 1)} each, are expected"
        f" of customers {those(best)}.",
        "p_alive": f"Least likely to buy again are customers {those(least)}:"
        f" {percent(least['p_alive'])}.",
    }
    if max(row["p_alive"] for row in rows) - least["p_alive"] < 0.005:
        said["p_alive"] = f"All are as likely to buy again: {percent(least['p_alive'])}."
    found = {(row["repeats"], row["wait"]): row for row in rows}
    figures = []
    for column, title in (("expected_orders", "Orders expected"), ("p_alive", "Probability alive")):
        highest = max(row[column] for row in rows) or 1
        drawn = [
            {
                "x": wait(column_),
                "y": repeats(place),
                "shade": found[place, column_][column] / highest
                if (place, column_) in found
                else 0,
                "label": decimal(found[place, column_][column], 1 if column != "p_alive" else 2)
                if (place, column_) in found
                else "",
            }
            for place in range(max(p for p, _ in found), -1, -1)
            for column_ in range(last + 1)
        ]
        figures.append(
            Figure(
                f"clv-{column.replace('_', '-')}",
                f"{title}, by repeat purchases and time since the last",
                said[column],
                marks.heat(
                    drawn,
                    x=f"{unit}s since the last purchase",
                    y="repeat purchases",
                    width=34,
                    height=32,
                ),
                Table(
                    ["Repeat purchases", f"{unit.capitalize()}s since", "Customers", title],
                    [
                        [
                            repeats(row["repeats"]),
                            wait(row["wait"]),
                            count(row["customers"]),
                            decimal(row[column]),
                        ]
                        for row in rows
                    ],
                    frozenset(range(4)),
                ),
                note="An empty field has too few customers to be shown, or none.",
            )
        )
    return figures


def _holdout(source: Source, given: Mapping[str, Any]) -> list[Figure]:
    rows = source.rows("clv_holdout", given=given)
    if not rows:
        return []
    names = {"actual_orders": "came", "expected_orders": "expected", "baseline_orders": "baseline"}
    drawn = [
        {"x": row["frequency"], "y": row[column], "series": name}
        for row in rows
        for column, name in names.items()
        if row[column] is not None
    ]
    came = sum(row["actual_orders"] * row["customers"] for row in rows)
    expected = sum(row["expected_orders"] * row["customers"] for row in rows)
    off = share(expected - came, came)
    how = (
        "as many as"
        if abs(off) < 0.005
        else f"{percent(abs(off))} {'more' if off > 0 else 'fewer'} than"
    )
    return [
        Figure(
            "clv-holdout",
            "Calibration against holdout",
            f"The model, fitted to the earlier days, expected {count(expected)} orders in the later"
            f" ones, {how} the {count(came)} that came.",
            marks.lines(
                drawn,
                {"came": marks.INK, "expected": marks.ACCENT, "baseline": marks.SECOND},
                x="repeat purchases in the calibration",
                y="orders in the holdout, each",
                ordinal=True,
            ),
            Table(
                ["Repeat purchases", "Customers", "Came", "Expected", "Baseline"],
                [
                    [
                        str(row["frequency"]),
                        count(row["customers"]),
                        decimal(row["actual_orders"]),
                        decimal(row["expected_orders"]),
                        decimal(row["baseline_orders"]),
                    ]
                    for row in rows
                ],
                frozenset(range(5)),
            ),
            note="The baseline carries the rate of the last period on.",
        )
    ]


def _metrics(rows: Rows) -> Table | None:
    if not rows:
        return None
    return Table(
        ["In the holdout", "Model", "Baseline"],
        [
            [
                METRICS.get(row["metric"], str(row["metric"])),
                decimal(row["value"], 3),
                decimal(row["baseline"], 3),
            ]
            for row in rows
        ],
        frozenset({1, 2}),
    )
