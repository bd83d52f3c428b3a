"""Rows of a published table, or of a SELECT, for a person to look at."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seg_sql.config import ColumnEntry
from seg_sql.engines import Engine, Result
from seg_sql.errors import ConfigError, DatabaseError, SelectionError, did_you_mean
from seg_sql.grain import grain
from seg_sql.moves import moves_between
from seg_sql.project import Model
from seg_sql.session import Settings, session
from seg_sql.sql_errors import lines_around
from seg_sql.step import Steps
from seg_sql.workspace import Workspace

NO_MOVES = (
    "There is no earlier as_of to compare with: moves are seen from the second one on, and"
    " `seg-sql backfill rfm --from D --to D` writes days gone by."
)


@dataclass(frozen=True)
class Shown:
    """Rows to look at.

    Attributes:
        rows: The rows.
        total: How many there are in all, if that is known.
        counts: The columns of integers that no id is in.
    """

    rows: Result
    total: int | None = None
    counts: frozenset[str] = frozenset()


def show(
    settings: Settings,
    name: str | None,
    *,
    inline: str | None,
    limit: int,
    between: tuple[datetime.date, datetime.date] | None = None,
) -> Shown:
    """Return rows of a published table, or of a SELECT.

    With `between` the rows of segment_moves are those between two as_of.
    """
    if (name is None) == (inline is None):
        raise ConfigError(
            "Give either the name of a model or --inline SELECT.",
            hint="For example: seg-sql show rfm_segments",
        )
    with session(settings) as workspace:
        workspace.looks_at_inputs = False
        engine = workspace.engine
        steps = Steps(workspace, "runner")
        if inline is not None:
            return Shown(_inline(workspace, steps, inline, limit))
        assert name is not None
        output = workspace.output(name)
        internal = name in ("seg_sql_runs", "seg_sql_run_parameters")
        if output is None and not internal:
            is_select = name.lower().split()[:1] in (["select"], ["with"], ["from"])
            raise SelectionError(
                f"There is no model '{name}'.",
                hint="A SELECT is given as --inline \"select ... from {{ ref('rfm') }}\"."
                if is_select
                else did_you_mean(name, workspace.owners),
            )
        _refuse_unbuilt(workspace, name)
        relation = workspace.published(name)
        if between is not None:
            history = Steps(workspace, "history")
            relation = f"({moves_between(workspace, history, *between)})"
        order = ["started_at", "model"] if output is None else _order_of(workspace, output)
        described = engine.describe(steps.sql("all_rows", relation=relation))
        # What a person looks for first stands left, where a narrow terminal shows it.
        first = [] if output is None else _meta(workspace, output).get("show_first", [])
        names = [column.name for column in described]
        names = [*(each for each in first if each in names), *(n for n in names if n not in first)]
        sql = steps.sql(
            "all_rows",
            columns=[engine.quote(each) for each in names],
            relation=relation,
            order_by=[_sort_key(engine, each) for each in order if each.split()[0] in names],
            limit=limit,
        )
        total = engine.fetch(steps.sql("row_count", relation=relation)).rows[0][0]
        counts = [] if output is None else [each for each in output.entry.columns if _counts(each)]
        return Shown(engine.fetch(sql), int(total), frozenset(each.name for each in counts))


def _inline(workspace: Workspace, steps: Steps, inline: str, limit: int) -> Result:
    """Return the rows of a SELECT that was typed in."""

    def ref(name: str) -> str:
        if name in workspace.owners and workspace.nodes[workspace.owners[name]].builds:
            _refuse_unbuilt(workspace, name)
        return workspace.ref_sql(name)

    sql = workspace.renderer.render(inline, "--inline", ref=ref, input=workspace.input_sql).sql
    sql = sql.removesuffix(";").rstrip()
    rows = steps.sql("all_rows", relation=f"({sql})", limit=limit)
    try:
        return steps.engine.fetch(rows)
    except DatabaseError as error:
        if error.lost:
            raise
        said = "\n".join([f"The SELECT cannot be run: {error.message}", *lines_around(error, sql)])
        hint = error.hint
        if "{{" not in inline:
            hint = "A table of ours is {{ ref('rfm') }} there; `seg-sql ls` names them."
        raise DatabaseError(said, where="--inline", hint=hint) from error


def _refuse_unbuilt(workspace: Workspace, name: str) -> None:
    if workspace.project.relation_name(name) not in workspace.engine.existing():
        raise ConfigError(
            f"{name} is not built in {workspace.engine.schema} yet.",
            hint=f"Run `seg-sql build -s +{name}`.",
        )


def _meta(workspace: Workspace, output: Model) -> Mapping[str, Any]:
    node = workspace.nodes[workspace.owners[output.name]]
    if output.name == node.name:
        return node.config.meta
    meta: Mapping[str, Any] = output.entry.config.get("meta", {})
    return meta


def _counts(column: ColumnEntry) -> bool:
    return column.data_type in ("integer", "bigint") and not column.name.endswith("_id")


def _sort_key(engine: Engine, key: str) -> str:
    """Return a column to order by, quoted; it may be followed by `desc`."""
    name, *desc = key.split()
    return " ".join([engine.quote(name), *desc])


def _order_of(workspace: Workspace, output: Model) -> list[str]:
    """Return the columns that rows are shown in the order of: as described, or the grain."""
    shown = _meta(workspace, output).get("order_by")
    if shown is not None:
        return list(shown)
    return grain(workspace, output)
