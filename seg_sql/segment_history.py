"""Tables that keep the rows of each as_of, such as customer_segment_history.

A model with `materialized='history'` is never built as a whole. Its SELECT says which rows a
source adds to it, and they are written by the statements of sql/history/, in the transaction that
publishes the source: neither is ever there without the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from seg_sql.errors import ModelError, refused_as
from seg_sql.events import Log, Said
from seg_sql.nodes import Node
from seg_sql.step import Steps
from seg_sql.workspace import Workspace


def histories(workspace: Workspace, source: str | None = None) -> list[Node]:
    """Return the history models, or those that a model writes to."""
    return [
        node
        for node in workspace.nodes.values()
        if node.kind == "history" and (source is None or source in sources(node))
    ]


def sources(node: Node) -> list[str]:
    """Return the models whose rows a history model keeps."""
    found: list[str] = node.config.meta.get("sources", [])
    return found


def written(workspace: Workspace, steps: Steps, name: str) -> list[str]:
    """Return the statements that keep a model's rows, for the transaction that publishes it.

    A run of a sample, or of no rows, keeps nothing: it would replace what is known by less.
    """
    limits = workspace.limits
    if limits.empty or limits.sample is not None or workspace.renderer.variable("as_of") is None:
        return []
    found: list[str] = []
    for node in histories(workspace, name):
        history = workspace.published(node.name)
        found.append(steps.sql("delete", history=history, source=name))
        if workspace.renderer.variable("history_keep") is not None:
            found.append(steps.sql("prune", history=history, source=name))
        rows = _rows(workspace, node, [name])
        found.append(steps.sql("insert", history=history, columns=columns(node), rows=rows))
    return found


def merged(workspace: Workspace, steps: Steps, existing: Iterable[str], log: Log) -> list[str]:
    """Return the statements that give merged customers' rows to the ids they stand for today."""
    found: list[str] = []
    relation = workspace.project.relation_name
    merges = workspace.relation("customer_merges")
    for node in histories(workspace):
        if not node.config.meta.get("has_customers") or relation(node.name) not in existing:
            continue
        given: dict[str, Any] = {"history": workspace.published(node.name), "merges": merges}
        count = steps.row("count_merged", **given)
        if not count["row_count"]:
            continue
        log(
            Said(
                f"{node.name}: {count['row_count']:,} rows of {count['customers']:,} merged"
                " customers go to the ids that they stand for now."
            )
        )
        rows = steps.sql("merged_rows", columns=columns(node), **given)
        history = given["history"]
        found.append(steps.sql("insert", history=history, columns=columns(node), rows=rows))
        found.append(steps.sql("delete_merged", **given))
    return found


def empty(workspace: Workspace, steps: Steps, node: Node, built: Sequence[str]) -> str:
    """Return the SELECT of a history's columns without a row, typed as in the sources built."""
    rows = _rows(workspace, node, built)
    return steps.sql("empty", columns=columns(node), rows=rows)


def as_published(workspace: Workspace, steps: Steps, node: Node) -> str:
    """Return the history as it will be when all that is built is published together."""
    new = [source for source in sources(node) if source in workspace.hidden]
    given: dict[str, Any] = {"history": workspace.published(node.name)}
    if node.config.meta.get("has_customers") and "customer_merges" in workspace.hidden:
        given["merges"] = workspace.relation("customer_merges")
        given["merged_rows"] = steps.sql("merged_rows", columns=columns(node), **given)
    return steps.sql(
        "as_published",
        columns=columns(node),
        new_sources=new,
        rows=_rows(workspace, node, new) if new else "",
        **{"merges": "", "merged_rows": "", **given},
    )


def _rows(workspace: Workspace, node: Node, written_with: Sequence[str]) -> str:
    """Return the SELECT of a history over some of its sources.

    Raises:
        ModelError: A project's own history cannot be run, or does not select a column that the
            history has.
    """
    rows = workspace.compile(node.name, written_with=written_with)
    if not node.model.packaged:
        with refused_as(ModelError, f"{node.name} cannot be run", where=node.model.shown):
            selected = {column.name.lower() for column in workspace.engine.describe(rows)}
        for column in node.model.entry.columns:
            if column.name.lower() not in selected:
                kind = {"id": "text"}.get(column.data_type, column.data_type)
                raise ModelError(
                    f"{node.name} does not select the column {column.name}.",
                    where=node.model.shown,
                    hint=f"Where there is nothing to say: cast(null as {kind}) as {column.name}",
                )
    return rows


def columns(node: Node) -> list[str]:
    """Return the columns of a history, as its schema.yml names them."""
    return [column.name for column in node.model.entry.columns]
