"""Item similarity: number the items and baskets, count the pairs, keep the best of each item.

Every statement is a file in sql/algorithms/item_similarity/. No row leaves the database but a few
counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seg_sql.algorithm import Fit, Task
from seg_sql.algorithms.item_similarity import FEW_BASKETS, ItemSimilarityOptions
from seg_sql.algorithms.order_lines import checked_columns
from seg_sql.errors import ModelError
from seg_sql.events import Said
from seg_sql.wording import counted

if TYPE_CHECKING:
    from seg_sql.step import Steps

# Decimals to which a measure is rounded before it is compared: logarithms are less exact.
_DIGITS = {"npmi": 9, "root_llr": 9}
_LONG_LISTS = 12


@dataclass(frozen=True)
class Baskets:
    """The numbered items, and the baskets as they are counted."""

    items: str
    counted: str
    large_items: int
    large_baskets: int


def fit(step: Steps, relation: str, task: Task) -> Fit:
    """Count the pairs of a relation of order lines; leave a work table for each output.

    The relation has order_id, customer_id, order_date, item_id, item_name, is_recommendable, reason
    ('kept' for what counts) and the columns of partition_by.

    Raises:
        ModelError: The options name a column that is not there, or ask for dates where none are.
    """
    options: ItemSimilarityOptions = task.options
    words = _words(step, relation, task)
    baskets = _numbered(step, options, words)
    weighted = options.half_life_days is not None
    totals = _table(step, "totals", baskets=baskets.counted)
    counts = _table(step, "item_counts", baskets=baskets.counted, weighted=weighted)
    few = options.min_item_baskets
    rare = int(step.row("rare", counts=counts, min_item_baskets=few)["row_count"])
    pruned = baskets.counted
    if rare:
        pruned = _table(
            step,
            "baskets",
            baskets=baskets.counted,
            counts=counts,
            min_item_baskets=few,
            weighted=weighted,
        )
    bits = int(step.row("most", items=baskets.items)["item_no"] or 1).bit_length()
    pairs = _table(
        step,
        "pairs",
        baskets=pruned,
        bits=bits,
        min_pair_baskets=options.min_pair_baskets,
        weighted=weighted,
    )
    known = {"items": baskets.items, "counts": counts, "totals": totals}
    neighbours = _table(
        step,
        "neighbours",
        **known,
        pairs=pairs,
        bits=bits,
        measure=options.measure,
        digits=_DIGITS.get(options.measure, _LONG_LISTS),
        top_n=options.top_n,
        weighted=weighted,
    )
    outputs = {
        "": step.table(
            step.sql("model", **known, neighbours=neighbours, measure=options.measure), work=False
        ),
        "exclusions": step.table(
            step.sql("exclusions", reasons=_reasons(step, options, words, baskets, rare)),
            work=False,
        ),
    }
    size = step.row(
        "size", totals=totals, items=baskets.items, neighbours=neighbours, few_baskets=FEW_BASKETS
    )
    # A holdout fits again what was said already.
    if step.model == task.model and baskets.large_baskets:
        step.log(Said(f"{step.model}: {_cut(options, baskets)}"))
    if step.model == task.model and 2 * size["few"] > size["neighbours"]:
        step.log(Said(f"{step.model}: {_chance(size)}"))
    return Fit(
        outputs,
        f"{size['items']:,} items in {size['baskets'] or 0:,} baskets",
        parameters={name: size[name] or 0 for name in ("baskets", "items", "neighbours")},
    )


def _chance(size: Mapping[str, Any]) -> str:
    return (
        f"{size['few']:,} of {size['neighbours']:,} pairs share fewer than {FEW_BASKETS} baskets,"
        f" which may be chance; min_pair_baskets: {FEW_BASKETS} leaves them out"
    )


def _cut(options: ItemSimilarityOptions, baskets: Baskets) -> str:
    limit, large = options.max_basket_items or 0, counted(baskets.large_baskets, "basket")
    if options.large_baskets == "drop":
        return f"{large} of over {limit:,} items left out (max_basket_items)"
    items = counted(baskets.large_items - limit * baskets.large_baskets, "item")
    return f"{large} of over {limit:,} items cut to {limit:,}, {items} left out (max_basket_items)"


def _words(step: Steps, relation: str, task: Task) -> dict[str, Any]:
    """Return what the statements over the order lines are rendered with."""
    options: ItemSimilarityOptions = task.options
    checked_columns(step, relation, task)
    for name in ("window_days", "half_life_days"):
        if getattr(options, name) is not None and (
            task.as_of is None or not step.row("dates", relation=relation)["dated"]
        ):
            raise ModelError(
                f"{name} needs dates, and no order line has one.",
                hint="Map ordered_at of order_lines in seg_sql.yml.",
            )
    unit = f"{options.unit}_id"
    since = (
        step.sql("since", as_of=task.as_of, window_days=options.window_days)
        if options.window_days is not None
        else None
    )
    return {
        "relation": relation,
        "unit": unit,
        "since": since,
        "grouped": bool(options.partition_by),
        "weighted": options.half_life_days is not None,
        "counts": step.sql("counts", unit=unit, since=since),
        "group_key": step.sql(
            "group_key", columns=[step.engine.quote(name) for name in options.partition_by]
        ),
        "weight": step.sql("weight", half_life_days=options.half_life_days, as_of=task.as_of),
    }


def _numbered(step: Steps, options: ItemSimilarityOptions, words: dict[str, Any]) -> Baskets:
    """Number the items and baskets, and cut the baskets that are too large."""
    items = _table(step, "items", **words)
    units = _table(step, "units", **words, items=items)
    limit = options.max_basket_items
    if limit is None:
        return Baskets(items, units, 0, 0)
    large = step.row("large", units=units, max_items=limit)
    if not large["baskets"]:
        return Baskets(items, units, 0, 0)
    capped = _table(
        step,
        "capped",
        items=items,
        units=units,
        max_items=limit,
        sampled=options.large_baskets == "sample",
    )
    return Baskets(items, capped, int(large["items"]), int(large["baskets"]))


def _reasons(
    step: Steps,
    options: ItemSimilarityOptions,
    words: dict[str, Any],
    baskets: Baskets,
    rare: int,
) -> list[dict[str, Any]]:
    """Return what was left out: order lines, then items of large baskets, then rare items."""
    reasons = step.rows("reasons", **words)
    limit = options.max_basket_items
    if baskets.large_baskets and options.large_baskets == "drop":
        reasons.append(
            {"reason": f"basket over {limit} items (baskets)", "row_count": baskets.large_baskets}
        )
    elif baskets.large_baskets and limit is not None:
        beyond = baskets.large_items - limit * baskets.large_baskets
        reasons.append({"reason": f"beyond {limit} items of a basket (items)", "row_count": beyond})
    if rare:
        few = options.min_item_baskets
        reasons.append({"reason": f"in fewer than {few} baskets (items)", "row_count": rare})
    return reasons


def _table(step: Steps, template: str, **context: Any) -> str:
    """Make a work table from a template; return its qualified name."""
    return step.relation(step.table(step.sql(template, **context)))
