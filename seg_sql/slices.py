"""A table that is filled in slices, so that what one statement needs at a time stays bounded.

A model says in its meta how, as in
`slices={'by': 'customer_id', 'of': ['listed_items'], 'rows': 'recommendation_rows'}`: the column
that parts the rows, the ephemeral models of which it reads one slice at a time, and the ephemeral
model of one row that says how many rows its SELECT has on the way. Ephemeral models that read
nothing of a slice are made once, and not again for each. The rows are the same in any number of
slices.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from seg_sql.nodes import Node
from seg_sql.step import Steps

# Rows on the way in one statement: to sum them by two texts takes a good gigabyte.
ROWS_AT_A_TIME = 10_000_000


def needed(steps: Steps, node: Node, elsewhere: Mapping[str, str]) -> int:
    """Return in how many slices a model is made: 1 for one that is small, or is not sliced.

    Args:
        steps: The statements of sql/runner.
        node: The model.
        elsewhere: The relations of models that it is to find elsewhere.
    """
    rows = node.slices.get("rows")
    if rows not in steps.workspace.nodes:
        return 1
    on_the_way = int(
        steps.row("slice_rows", relation=steps.workspace.reading(elsewhere)(rows))["row_count"] or 0
    )
    return max(1, -(-on_the_way // ROWS_AT_A_TIME))


def fill(
    steps: Steps,
    node: Node,
    slices: int,
    elsewhere: Mapping[str, str],
    *,
    work: bool = False,
) -> tuple[str, int]:
    """Make a table of a model's rows, a statement for each slice; return its name and their number.

    Args:
        steps: The statements of sql/runner.
        node: The model.
        slices: How many.
        elsewhere: The relations of models that it is to find elsewhere.
        work: Whether the table is never published.
    """
    workspace = steps.workspace
    read = workspace.reading(elsewhere)
    everything = f"(\n{workspace.compile(node.name, ref=read)}\n)"
    filled = steps.table(steps.sql("all_rows", relation=everything, limit=0), work=work)
    cut, whole = _inlined(workspace.nodes, node.refs, node.slices["of"])
    shared = {
        name: steps.table(steps.sql("slice", relation=read(name), slices=1))
        for name in sorted(whole)
        if name not in elsewhere
    }
    rows = 0
    for number in range(slices):
        began = time.perf_counter()
        parts = {
            name: steps.table(
                steps.sql(
                    "slice", relation=read(name), by=node.slices["by"], slices=slices, number=number
                )
            )
            for name in sorted(cut)
        }
        there = {name: steps.relation(table) for name, table in {**shared, **parts}.items()}
        select = workspace.compile(node.name, ref=workspace.reading({**elsewhere, **there}))
        rows += steps.append(filled, select)
        steps.drop(*parts.values())
        steps.progress(number + 1, time.perf_counter() - began, stage=f"of {slices}", rows=rows)
    steps.drop(*shared.values())
    return filled, rows


def _inlined(
    nodes: Mapping[str, Node], refs: Sequence[str], of: Sequence[str]
) -> tuple[set[str], set[str]]:
    """Return the ephemeral models that are cut, and those that read nothing which is cut.

    Args:
        nodes: All models.
        refs: What the model reads.
        of: What is cut; a model that reads of it stays where it is, and is inlined in each slice.
    """
    cut: set[str] = set()
    whole: set[str] = set()
    for name in (ref for ref in refs if not nodes[ref].builds):
        cut_below, whole_below = _inlined(nodes, nodes[name].refs, of)
        if name in of:
            cut.add(name)
        elif cut_below:
            cut |= cut_below
            whole |= whole_below
        else:
            whole.add(name)
    return cut, whole
