"""Association rules: number the items and baskets, find the frequent itemsets level by level.

A level joins the sets of the last one that differ in their last item only, and counts the baskets
that have both (Agrawal and Srikant 1994; that this is done within classes of baskets with the same
first items, Zaki 2000, Scalable Algorithms for Association Mining). Every statement is a file in
sql/algorithms/association_rules/. Only counts leave the database.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seg_sql.algorithm import Fit, Task
from seg_sql.algorithms.association_rules import AssociationRulesOptions
from seg_sql.algorithms.order_lines import checked_columns
from seg_sql.errors import ModelError
from seg_sql.events import Said

if TYPE_CHECKING:
    from seg_sql.step import Steps


@dataclass(frozen=True)
class Baskets:
    """The baskets and the numbered items, as relations.

    Attributes:
        partitions: The groups, with how many baskets they have.
        catalogue: Every item.
        baskets: The items of each basket that may be frequent.
        items: The frequent items.
    """

    partitions: str
    catalogue: str
    baskets: str
    items: str


def fit(step: Steps, relation: str, task: Task) -> Fit:
    """Find the rules in a relation of order lines; leave a work table for each output.

    The relation has order_id, item_id and the columns of partition_by; it may have item_name, and
    reason, which is 'kept' for what counts.

    Raises:
        ModelError: A column is missing, or a level has more candidates than `max_itemsets`.
    """
    options: AssociationRulesOptions = task.options
    words = _words(step, relation, task)
    found = _numbered(step, options, words)
    levels, itemsets = _levels(step, found, options)
    if len(levels) > 1:
        rules = _table(
            step,
            "rules",
            levels=levels,
            items=found.items,
            min_confidence=round(options.min_confidence, 9),
        )
    else:
        rules = _table(step, "no_rules", items=found.items)
    size = max(len(levels), 2)
    outputs = {
        "": step.table(step.sql("model", rules=rules, items=found.items, size=size), work=False),
        "items": step.table(
            step.sql("rule_items", rules=rules, items=found.items, size=size), work=False
        ),
        "exclusions": step.table(
            step.sql("exclusions", **words, catalogue=found.catalogue, items=found.items),
            work=False,
        ),
    }
    counted = step.row("size", partitions=found.partitions, catalogue=found.catalogue, rules=rules)
    figures = {name: int(value) for name, value in counted.items()}
    if not figures["rules"]:
        # No warning: a young shop has none.
        text, hint = _nothing(figures, itemsets, options)
        step.log(Said(f"{step.model}: {text}", hint=hint))
    return Fit(
        outputs,
        f"{figures['rules']:,} rules from {sum(itemsets):,} itemsets",
        parameters={**figures, "itemsets": sum(itemsets)},
    )


def _words(step: Steps, relation: str, task: Task) -> dict[str, Any]:
    """Return what the statements over the order lines are rendered with."""
    options: AssociationRulesOptions = task.options
    known = checked_columns(step, relation, task)
    for column in ("order_id", "item_id"):
        if column not in known:
            raise ModelError(
                f"The SELECT of {task.model} yields no column '{column}'.",
                hint="Association rules are found in rows of order_id and item_id.",
            )
    has_reason = "reason" in known
    return {
        "relation": relation,
        "has_reason": has_reason,
        "partitioned": bool(options.partition_by),
        "has_name": "item_name" in known,
        "counts": step.sql("counts", has_reason=has_reason),
        "group_key": step.sql(
            "group_key", columns=[step.engine.quote(name) for name in options.partition_by]
        ),
    }


def _numbered(step: Steps, options: AssociationRulesOptions, words: dict[str, Any]) -> Baskets:
    """Number the items, gather the baskets, and keep the frequent items."""
    kept = _table(step, "kept", **words)
    partitions = _table(
        step,
        "partitions",
        kept=kept,
        min_support=options.min_support,
        min_baskets=options.min_baskets,
        **words,
    )
    catalogue = _table(step, "catalogue", kept=kept, partitions=partitions, **words)
    baskets = _table(step, "baskets", kept=kept, catalogue=catalogue, **words)
    items = _table(step, "items", baskets=baskets, catalogue=catalogue)
    return Baskets(partitions, catalogue, baskets, items)


def _levels(
    step: Steps, found: Baskets, options: AssociationRulesOptions
) -> tuple[list[str], list[int]]:
    """Return the relation of the frequent itemsets of each size, and how many they are.

    Raises:
        ModelError: There would be more candidates than `max_itemsets`.
    """
    levels = [found.items]
    classes = found.baskets
    itemsets: list[int] = []
    for size in range(2, options.max_items + 2):
        began = time.perf_counter()
        sets = levels[-1]
        figures = step.row("figures", sets=sets)
        if not figures["itemsets"]:
            return levels[:-1], itemsets
        itemsets.append(int(figures["itemsets"]))
        waiting = int(figures["candidates"])
        if size > options.max_items or not waiting:
            break
        if waiting > options.max_itemsets:
            raise _too_many(step.model, size, waiting, itemsets[-1], options)
        if size > 2:
            candidates = _table(step, "candidates", sets=sets, size=size)
            waiting = int(step.row("candidate_count", candidates=candidates)["candidates"])
            if not waiting:
                break
            classes = _table(
                step,
                "classes",
                classes=classes,
                shorter_sets=levels[-2],
                sets=sets,
                candidates=candidates,
            )
        levels.append(
            _table(step, "level", classes=classes, sets=sets, items=found.items, size=size)
        )
        step.progress(size, time.perf_counter() - began, candidates=waiting)
    return levels, itemsets


def _too_many(
    model: str, size: int, waiting: int, last: int, options: AssociationRulesOptions
) -> ModelError:
    """Return the error of a level that is too large to be counted."""
    what = "items" if size == 2 else f"sets of {size - 1} items"
    return ModelError(
        f"{model}: {last:,} frequent {what} make {waiting:,} candidates of {size} items, and"
        f" max_itemsets is {options.max_itemsets:,}.",
        hint=f"Raise min_support (it is {options.min_support:g}), set max_items to {size - 1}, or"
        " raise max_itemsets where memory and time allow."
        if size > 2
        else f"Raise min_support (it is {options.min_support:g}), or raise max_itemsets where"
        " memory and time allow.",
    )


def _nothing(
    figures: dict[str, int], itemsets: list[int], options: AssociationRulesOptions
) -> tuple[str, str]:
    """Say why there is no rule, and what to lower."""
    baskets = figures["baskets"]
    if not baskets:
        return (
            "there is no rule, because no order line is an item in a basket.",
            "The table of the exclusions says why.",
        )
    name, wanted = "min_support", f"{options.min_support:g} of {baskets:,} baskets"
    if options.min_baskets > options.min_support * baskets:
        name, wanted = "min_baskets", f"{options.min_baskets:,} of {baskets:,}"
    if not itemsets:
        return (
            f"there is no rule, because no item is in {name} = {wanted}.",
            f"Lower {name}.",
        )
    if len(itemsets) == 1:
        return (
            f"there is no rule, because no two items are together in {name} = {wanted}.",
            f"Lower {name}.",
        )
    return (
        f"there is no rule, because none of {sum(itemsets[1:]):,} frequent itemsets has a"
        f" min_confidence of {options.min_confidence:g}.",
        "Lower min_confidence.",
    )


def _table(step: Steps, template: str, **context: Any) -> str:
    """Make a work table from a template; return its qualified name."""
    return step.relation(step.table(step.sql(template, **context)))
