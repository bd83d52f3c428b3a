"""The parts on items that go together, and on recommendations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seg_sql.report import layouts, marks
from seg_sql.report.figures import Figure, Part, Source, Table
from seg_sql.report.wording import count, decimal, plain, sentence, shortened

Rows = Sequence[Mapping[str, Any]]
PAIRS = 25


def items(source: Source) -> Part | str:
    """Return the pairs of items that go together most."""
    found = source.group("item_similarity")
    if found is None:
        return "no two items go together often enough"
    group, note = found
    rows = source.rows("item_pairs", given={"group_key": group}, pairs=PAIRS)
    if not rows:
        return "no pair of items is in enough baskets"
    best = rows[0]
    figure = Figure(
        "item-pairs",
        "Items that go together",
        f"{best['item_name']} and {best['other_item_name']} go together most: in"
        f" {count(best['pair_baskets'])} baskets, {decimal(best['lift'], 1)} times as often as by"
        " chance.",
        layouts.network(*_network(rows)),
        Table(
            ["Item", "Goes with", sentence(plain(best["measure"])), "Baskets", "Lift"],
            [
                [
                    row["item_name"],
                    row["other_item_name"],
                    decimal(row["similarity"], 3),
                    count(row["pair_baskets"]),
                    decimal(row["lift"], 1),
                ]
                for row in rows
            ],
            frozenset({2, 3, 4}),
        ),
        note=f"The {count(len(rows))} strongest pairs by {plain(best['measure'])}. A thicker line"
        " is a stronger pair; a larger dot is in more of them.",
        wide=True,
    )
    top = Table(figure.table.heads, figure.table.rows[:10], figure.table.numbers)
    return Part("Items", note, [figure], top)


def _network(rows: Rows) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    names: dict[str, str] = {}
    degree: dict[str, int] = {}
    for row in rows:
        for item, name in (
            (row["item"], row["item_name"]),
            (row["other_item"], row["other_item_name"]),
        ):
            names[item] = name
            degree[item] = degree.get(item, 0) + 1
    places = {item: place for place, item in enumerate(names)}
    most = max(degree.values())
    highest = max(abs(row["similarity"] or 0) for row in rows) or 1
    nodes = [{"name": shortened(names[item], 18), "size": degree[item] / most} for item in names]
    links = [
        {
            "source": places[row["item"]],
            "target": places[row["other_item"]],
            "strength": abs(row["similarity"] or 0) / highest,
        }
        for row in rows
    ]
    return nodes, links


def recommendations(source: Source) -> Part | str:
    """Return how good the recommendations were, against the most popular items."""
    rows = source.rows("recommendation_metrics")
    if not rows:
        return "the recommendations were not tested on enough customers"
    best = next((row for row in rows if "hit" in row["metric"]), rows[0])
    drawn = [
        {
            "name": f"{plain(row['metric'])} at {row['k']}",
            "side": side,
            "value": row[column],
            "label": decimal(row[column], 3),
            "colour": marks.ACCENT,
        }
        for row in rows
        for side, column in (("most popular", "popularity_baseline"), ("recommended", "value"))
        if row[column] is not None
    ]
    figure = Figure(
        "recommendation-metrics",
        "Recommendations against the most popular items",
        f"The {plain(best['metric'])} of {best['k']} recommendations is"
        f" {decimal(best['value'], 3)}; that of the most popular items"
        f" {decimal(best['popularity_baseline'], 3)}.",
        marks.paired_bars(drawn, ["most popular", "recommended"], width=260),
        Table(
            ["Metric", "Length of the list", "Recommended", "Most popular", "Customers"],
            [
                [
                    sentence(plain(row["metric"])),
                    str(row["k"]),
                    decimal(row["value"], 4),
                    decimal(row["popularity_baseline"], 4),
                    count(row["users"]),
                ]
                for row in rows
            ],
            frozenset({1, 2, 3, 4}),
        ),
        note="Pale: the most popular items for everyone. Full: what was recommended. Tested on"
        " later purchases that were held back.",
    )
    return Part("Recommendations", "", [figure])
