"""Refit item_similarity and recommendations on the earlier order lines, and measure the lists.

The models are those of the project, rendered once more with the earlier lines in the place of all:
what is measured is what is published, its options and replaced files included.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from seg_sql.algorithm import Fit, Task
from seg_sql.algorithms.output_tables import output_table
from seg_sql.algorithms.recommendations_metrics import RecommendationsMetricsOptions
from seg_sql.errors import ModelError
from seg_sql.slices import fill, needed

if TYPE_CHECKING:
    from seg_sql.step import Steps

LINES, BOUGHT = "order_lines_clean", "customer_items"
SIMILARITY, LISTS, POPULAR = "item_similarity", "recommendations", "popular_items"

_ACCURACY = {
    "precision": "precision_at_k",
    "recall": "recall",
    "map": "map",
    "ndcg": "ndcg",
    "hit_rate": "hit_rate",
}
_BREADTH = ("catalogue_coverage", "novelty", "diversity")
# Of fewer, chance says whose lists are better.
FEW_CUSTOMERS = 30
# What a model must beat popularity in.
_TELLING = ("recall", "ndcg")


def fit(step: Steps, relation: str, task: Task) -> Fit:
    """Part the order lines, refit on the earlier ones, and measure by the later ones.

    Raises:
        ModelError: There is no as_of to count the days back from.
    """
    options: RecommendationsMetricsOptions = task.options
    workspace = step.workspace
    if task.as_of is None:
        raise ModelError(
            "The recommendations are measured by a split in time, and no order line has a date.",
            hint="Map ordered_at of order_lines in seg_sql.yml.",
        )
    whole = step.table(step.sql("parted_all", relation=relation))
    lines = step.relation(whole)
    split, as_of = _split(step, options, lines, task.as_of)
    earlier = _table(step, "parted", relation=lines, later=False, **split)
    later = _table(step, "parted", relation=lines, later=True, **split)
    step.drop(whole)
    chosen = workspace.renderer.variable(LISTS)
    longest = max(options.k)
    with workspace.renderer.variables(
        {"as_of": as_of, LISTS: {**chosen, "top_n": max(longest, chosen["top_n"])}}
    ):
        similar = _similar(step, task, earlier, as_of)
        known = _compiled(step, BOUGHT, {LINES: earlier})
        new = _compiled(step, BOUGHT, {LINES: later})
        same = {"earlier": known, "exclude_bought": chosen["exclude_bought"]}
        truth = _table(step, "truth", later=new, **same)
        popular = _compiled(step, POPULAR, {LINES: earlier})
        before = {LINES: earlier, SIMILARITY: similar, BOUGHT: known, POPULAR: popular}
        recommended = _listed(step, before, truth)
    lists = _table(
        step,
        "lists",
        truth=truth,
        popular=popular,
        recommended=recommended,
        longest=longest,
        **same,
    )
    lengths = sorted(set(options.k))
    measured = _measured(
        step.rows("accuracy", lists=lists, truth=truth, lengths=lengths, longest=longest),
        step.rows(
            "breadth",
            lists=lists,
            earlier=known,
            popular=popular,
            similar=similar,
            lengths=lengths,
        ),
    )
    return Fit(
        {"": output_table(step, "", [list(row.values()) for row in measured])},
        _status(measured, longest),
        warnings=_warnings(measured, longest),
        parameters={
            f"{row['metric']}_at_{row['k']}": row["value"]
            for row in measured
            if row["metric"] in _TELLING
        },
    )


def _split(
    step: Steps, options: RecommendationsMetricsOptions, lines: str, as_of: str
) -> tuple[dict[str, Any], str]:
    """Return what parts the lines, and the first day that the earlier part does not read."""
    if options.holdout == "last_order":
        return {"last_orders": _table(step, "last_orders", lines=lines), "since": None}, as_of
    since = datetime.date.fromisoformat(as_of) - datetime.timedelta(days=options.days)
    sql = step.sql("since", as_of=as_of, days=options.days)
    return {"last_orders": None, "since": sql}, since.isoformat()


def _similar(step: Steps, task: Task, earlier: str, as_of: str) -> str:
    """Refit item_similarity; return its table."""
    workspace = step.workspace
    node = workspace.nodes[SIMILARITY]
    select = workspace.compile(SIMILARITY, ref=workspace.reading({LINES: earlier}))
    if node.algorithm is None:
        return _made(step, select)
    steps = step.beside(f"algorithms/{node.algorithm.name}")
    again = replace(task, model=SIMILARITY, options=node.options, as_of=as_of)
    found = node.algorithm.fit(steps, f"(\n{select}\n)", again)
    return step.relation(found.outputs[""])


def _listed(step: Steps, before: Mapping[str, str], truth: str) -> str:
    """Make the recommendations; return their table.

    What is made in slices of the customers can be made of those alone who are measured.
    """
    workspace = step.workspace
    node, read = workspace.nodes[LISTS], workspace.reading(before)
    measured = {
        name: _table(step, "measured", relation=read(name), truth=truth)
        for name in node.slices.get("of", ())
        if name in node.refs
    }
    there = {**before, **measured}
    steps = step.beside("runner")
    slices = needed(steps, node, there)
    if slices == 1:
        return _compiled(step, LISTS, there)
    return step.relation(fill(steps, node, slices, there, work=True)[0])


def _measured(
    accuracy: list[dict[str, Any]], breadth: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return a row for each metric and k: the model's value, the baseline's, and the users."""
    users = {row["k"]: row["users"] for row in accuracy}
    values = {
        (metric, row["k"], row["is_model"]): row[column]
        for rows, columns in (
            (accuracy, _ACCURACY.items()),
            (breadth, [(name, name) for name in _BREADTH]),
        )
        for row in rows
        for metric, column in columns
    }
    return [
        {
            "metric": metric,
            "k": k,
            "value": values.get((metric, k, 1)),
            "baseline": values.get((metric, k, 0)),
            "users": users[k],
        }
        for k in sorted(users)
        for metric in (*_ACCURACY, *_BREADTH)
    ]


def _at(measured: list[dict[str, Any]], k: int) -> dict[str, dict[str, Any]]:
    return {row["metric"]: row for row in measured if row["k"] == k}


def _status(measured: list[dict[str, Any]], k: int) -> str:
    if not measured:
        return "nobody bought before and after the split"
    ndcg = _at(measured, k)["ndcg"]
    return f"NDCG@{k} {ndcg['value']:.4f}, popularity {ndcg['baseline']:.4f}"


def _warnings(measured: list[dict[str, Any]], k: int) -> list[str]:
    """Return a sentence where the model is no better than a list of the most popular items."""
    at_k = _at(measured, k)
    worse = [
        f"{metric}@{k} {at_k[metric]['value']:.4f} against {at_k[metric]['baseline']:.4f}"
        for metric in _TELLING
        if at_k and at_k[metric]["value"] <= at_k[metric]["baseline"]
    ]
    if not worse:
        return []
    users = at_k["ndcg"]["users"]
    if users < FEW_CUSTOMERS:
        return [
            "whether the recommendations beat the most popular items cannot be told: only"
            f" {users:,} {'customer' if users == 1 else 'customers'} bought on both sides of the"
            " split"
        ]
    return [
        f"the recommendations do not beat the most popular items: {', '.join(worse)}"
        f" ({users:,} customers)"
    ]


def _table(step: Steps, template: str, **context: Any) -> str:
    return _made(step, step.sql(template, **context))


def _compiled(step: Steps, model: str, tables: Mapping[str, str]) -> str:
    """Make a work table of a model that finds some of what it reads in these tables."""
    workspace = step.workspace
    return _made(step, workspace.compile(model, ref=workspace.reading(tables)))


def _made(step: Steps, select: str) -> str:
    """Make a work table; return its qualified name."""
    return step.relation(step.table(select))
