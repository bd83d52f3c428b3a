"""The parts on items that go together, and on recommendations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seg_sql.report import layouts, marks
from seg_sql.report.figures import Figure, Part, Source, Table
from seg_sql.report.wording import count, decimal, percent, plain, sentence, shortened

Rows = Sequence[Mapping[str, Any]]
PAIRS = 25
# The metrics that are shares, as a reader knows them.
SHARES = {
    "hit_rate": "Lists with a hit",
    "recall": "Recall",
    "precision": "Precision",
    "ndcg": "NDCG",
    "map": "MAP",
    "catalogue_coverage": "Catalogue shown",
}


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
        note=f"The {count(len(rows))} surest pairs by log-likelihood, in which pairs of few baskets"
        " weigh little. A thicker line is a surer pair; a larger dot is in more of them.",
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
    highest = max(abs(row["root_llr"] or 0) for row in rows) or 1
    nodes = [{"name": shortened(names[item], 18), "size": degree[item] / most} for item in names]
    links = [
        {
            "source": places[row["item"]],
            "target": places[row["other_item"]],
            "strength": abs(row["root_llr"] or 0) / highest,
        }
        for row in rows
    ]
    return nodes, links


def recommendations(source: Source) -> Part | str:
    """Return how good the recommendations were, against the most popular items."""
    rows = source.rows("recommendation_metrics")
    if not rows:
        return "the recommendations were not tested on enough customers"
    longest = max(row["k"] for row in rows)
    found = {row["metric"]: row for row in rows if row["k"] == longest}
    drawn = [
        {
            "name": name,
            "side": side,
            "value": found[metric][column],
            "label": percent(found[metric][column]),
            "colour": marks.ACCENT,
        }
        for metric, name in SHARES.items()
        for side, column in (("most popular", "popularity_baseline"), ("recommended", "value"))
        if metric in found and found[metric][column] is not None
    ]
    figure = Figure(
        "recommendation-metrics",
        f"Lists of {longest} recommendations against the {longest} most popular items",
        _recommended_reading(found, longest),
        marks.paired_bars(drawn, ["most popular", "recommended"], width=260),
        Table(
            ["Metric", "Length of the list", "Recommended", "Most popular", "Customers"],
            [
                [
                    SHARES.get(row["metric"], sentence(plain(row["metric"]))),
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


def _recommended_reading(found: Mapping[str, Mapping[str, Any]], length: int) -> str:
    best = found.get("hit_rate") or next(iter(found.values()))
    ours, theirs = best["value"], best["popularity_baseline"]
    if best["metric"] == "hit_rate" and None not in (ours, theirs):
        how = "more" if ours > theirs else "fewer" if ours < theirs else "as many"
        return (
            f"{percent(ours)} of the lists hold an item that the customer bought later: {how}"
            f" {'as' if how == 'as many' else 'than'} with the most popular items,"
            f" {percent(theirs)}."
        )
    return (
        f"The {plain(best['metric'])} of {length} recommendations is {decimal(ours, 3)}; that of"
        f" the most popular items {decimal(theirs, 3)}."
    )
