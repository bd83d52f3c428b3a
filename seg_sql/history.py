"""The record of runs that stays in the database: seg_sql_runs and seg_sql_run_parameters."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from seg_sql.engines import Publication
from seg_sql.events import NodeFinished
from seg_sql.freshness import AsOf
from seg_sql.kept_fits import fits, flat
from seg_sql.ownership import described
from seg_sql.step import Steps
from seg_sql.workspace import Workspace

# What the two tables say of themselves, in the database and in the documentation.
DESCRIBED = {
    "seg_sql_runs": (
        "What each run built, when, from which input, and how it ended.",
        {
            "run_id": "The run: when it started (UTC) and eight digits.",
            "model": "The model or seed.",
            "status": "success, error or skipped.",
            "rows": "Rows of the published table; NULL for a view.",
            "seconds": "How long it took, its tests included.",
            "started_at": "When it started, UTC.",
            "finished_at": "When it was published or had failed, UTC.",
            "as_of": "The first day that was not read.",
            "input_fingerprint": "Rows, last date and sum of the order lines that were read.",
        },
    ),
    "seg_sql_run_parameters": (
        "The variables and options that each run used.",
        {
            "run_id": "The run, as in seg_sql_runs.",
            "model": "The model that an option belongs to; NULL for a project variable.",
            "parameter": "The name of the variable or option.",
            "value": "Its value as text; NULL when it was not set.",
        },
    ),
}


def record_nodes(
    workspace: Workspace,
    steps: Steps,
    nodes: Sequence[NodeFinished],
    run_id: str,
    as_of: AsOf | None,
) -> None:
    """Append how models ended to seg_sql_runs, which is made when it is missing."""
    rows: list[tuple[Any, ...]] = [
        (
            run_id,
            event.name,
            event.status,
            event.rows,
            round(event.seconds, 3),
            _plain_utc(event.started_at),
            _plain_utc(event.finished_at),
            as_of.day if as_of else None,
            as_of.fingerprint if as_of else None,
        )
        for event in nodes
    ]
    _append(workspace, steps, "seg_sql_runs", rows)


def record_parameters(
    workspace: Workspace,
    steps: Steps,
    run_id: str,
    as_of: AsOf | None,
    fitted: Mapping[str, Mapping[str, Any]],
    built: Collection[str],
) -> None:
    """Append the variables and options of a run, and of what it built how it was fitted."""
    _append(
        workspace,
        steps,
        "seg_sql_run_parameters",
        [(run_id, *row) for row in _parameters(workspace, as_of, fitted, built)],
    )


def _append(workspace: Workspace, steps: Steps, name: str, rows: list[tuple[Any, ...]]) -> None:
    relation = workspace.project.relation_name(name)
    description, columns = DESCRIBED[name]
    if relation not in steps.engine.existing():
        publication = Publication(
            name=relation,
            kind="table",
            hidden=steps.table(steps.sql(name), work=False),
            comment=described(workspace.project.name, name, description),
            column_comments=columns,
            grants=workspace.project.config.grants,
        )
        steps.engine.publish([publication])
    steps.engine.insert(relation, list(columns), rows)


def _parameters(
    workspace: Workspace,
    as_of: AsOf | None,
    fitted: Mapping[str, Mapping[str, Any]],
    built: Collection[str],
) -> list[tuple[Any, ...]]:
    values: list[tuple[Any, ...]] = []
    if as_of is not None:
        values.append((None, "as_of_origin", as_of.origin))
    for name, value in workspace.project.vars.model_dump().items():
        shown = as_of.day if name == "as_of" and as_of is not None else value
        values.append((None, name, None if shown is None else str(shown)))
    options_of = dict(workspace.project.options)
    options_of |= {name: node.options for name, node in workspace.nodes.items() if node.options}
    values += fits(workspace, built)
    for model, parameters in fitted.items():
        values += [(model, name, str(value)) for name, value in parameters.items()]
    for model, options in options_of.items():
        values += [(model, name, value) for name, value in flat(options.model_dump())]
    return values


def _plain_utc(moment: Any) -> Any:
    return None if moment is None else moment.replace(tzinfo=None, microsecond=0)
