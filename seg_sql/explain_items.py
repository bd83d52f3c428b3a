"""Why an item is recommended, and which items go with one, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from seg_sql import freshness
from seg_sql.algorithms.item_similarity import FEW_BASKETS, ItemSimilarityOptions
from seg_sql.errors import ConfigError, SelectionError
from seg_sql.events import Log
from seg_sql.session import Settings, session
from seg_sql.step import Steps
from seg_sql.workspace import Workspace

# Enough to see why; all rows are in the tables.
SHOWN = 5


def recommendations(steps: Steps, given: Mapping[str, Any]) -> Iterator[str]:
    """Yield a customer's list with its reasons, line by line."""
    rows = steps.rows("recommendations", parameters=given)
    if not rows:
        yield "Recommendations: none; there is no item to recommend."
        return
    yield f"Recommendations ({min(SHOWN, len(rows))} of {len(rows)}):"
    for row in rows[:SHOWN]:
        yield f"  {row['rank']:>2}  {_named(row['item_id'], row['item_name'])}: {_why(row)}"


def _why(row: Mapping[str, Any]) -> str:
    if row["source"] == "popularity":
        return f"among the most bought, {row['score']:,.0f} orders"
    if row["source"] == "neighbours":
        return f"bought by the customers most alike (score {row['score']:.3g})"
    because = _named(row["because_item_id"], row["because_item_name"])
    return f"goes with {because} (score {row['score']:.3g})"


def item(settings: Settings, item_id: str) -> Iterator[str]:
    """Yield what goes with an item, line by line.

    Raises:
        ConfigError: item_similarity is not built.
        SelectionError: No order line has the item.
    """
    with session(settings) as workspace:
        steps = Steps(workspace, "explain")
        built = workspace.built()
        if not {"order_lines_clean", "item_similarity"} <= built:
            raise ConfigError(
                f"item_similarity is not built in {workspace.engine.schema} yet.",
                hint="Run `seg-sql build -s +item_similarity`.",
            )
        runner_steps = Steps(workspace, "runner")
        freshness.settle(workspace, runner_steps, set(workspace.nodes), Log())
        given = {"item": item_id}
        bought = steps.row("bought_item", parameters=given)
        if not bought["line_count"]:
            raise SelectionError(
                f"No order line has the item '{item_id}'.", hint=_similar_ids(steps, item_id)
            )
        if bought["no_product_count"]:
            yield f"Item {item_id}"
            yield (
                "It is no product, by is_product of the input items or by the var not_products: its"
                f" lines ({bought['line_count']:,}) count for money, and no item goes with it."
            )
            return
        rows = steps.rows("similar_items", parameters=given)
        name = next((row["item_name"] for row in rows if row["item_name"]), None)
        yield f"Item {_named(item_id, name)}"
        yield f"Bought in {bought['orders']:,} orders."
        if bought["other_reason"]:
            yield f"  Some of its lines do not count: {bought['other_reason']}."
        yield ""
        if rows:
            yield from _similar_items(rows)
            yield from _cut_baskets(workspace, rows, int(bought["orders"]))
        else:
            yield "No item goes with it: it shares too few baskets with any other."
        if "association_rules" in built:
            yield from _rules(steps, given)


def _similar_ids(steps: Steps, item_id: str) -> str | None:
    # First those of the same letters, small for capital.
    for length in range(len(item_id), 0, -1):
        rows = steps.rows("similar_item_ids", parameters={"start": item_id[:length]}, length=length)
        if rows:
            return "Items with a similar id: " + ", ".join(row["item_id"] for row in rows)
    return None


def _similar_items(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for group in dict.fromkeys(row["group_key"] for row in rows):
        mine = [row for row in rows if row["group_key"] == group]
        where = "" if group == "all" else f" in {group}"
        yield (
            f"Goes with{where}, by {mine[0]['measure']}, of its {mine[0]['item_baskets']:,} baskets"
            f" ({min(len(mine), 2 * SHOWN)} of {len(mine)}):"
        )
        for row in mine[: 2 * SHOWN]:
            yield (
                f"  {row['rank']:>2}  {_named(row['similar_item_id'], row['similar_item_name'])}:"
                f" in {row['pair_baskets']:,} of them ({row['confidence']:.0%}),"
                f" {row['lift']:.3g} times as often as by chance"
                f" ({row['measure']} {row['similarity']:.3g})"
            )
        if any(row["pair_baskets"] < FEW_BASKETS for row in mine[: 2 * SHOWN]):
            yield f"  Where these are fewer than {FEW_BASKETS} baskets, it may be chance."


def _cut_baskets(
    workspace: Workspace, rows: Sequence[Mapping[str, Any]], orders: int
) -> Iterator[str]:
    """Say why an item is in more orders than baskets, where only the limit makes it so."""
    options = workspace.nodes["item_similarity"].options
    if not isinstance(options, ItemSimilarityOptions) or options.max_basket_items is None:
        return
    is_whole = options.unit == "order" and not options.partition_by and options.window_days is None
    if is_whole and rows[0]["item_baskets"] < orders:
        limit, baskets = options.max_basket_items, rows[0]["item_baskets"]
        how = "not" if options.large_baskets == "drop" else f"with a sample of {limit:,}"
        yield (
            f"  A basket of over {limit:,} items counts {how} (max_basket_items), so that the item"
            f" counts in {baskets:,} of its {orders:,} orders."
        )


def _rules(steps: Steps, given: Mapping[str, Any]) -> Iterator[str]:
    rows = steps.rows("rules", parameters=given, limit=SHOWN)
    if not rows:
        return
    yield ""
    yield "Who has these in the basket takes it as well:"
    for row in rows:
        yield (
            f"  {row['antecedent']}: {row['confidence']:.0%} of the baskets with it"
            f" ({row['baskets']:,}), {row['lift']:.3g} times as often as by chance"
        )


def _named(item_id: Any, name: str | None) -> str:
    """Return an id with its name, where there is one.

    >>> _named("85123A", "Lantern"), _named(7, None)
    ('85123A (Lantern)', '7')
    """
    return f"{item_id} ({name})" if name else str(item_id)
