"""Fit an algorithm model: its SELECT as a work table, the driver, and a hidden table an output."""

from __future__ import annotations

from seg_sql.algorithm import Fit, Task
from seg_sql.engines import Existing
from seg_sql.errors import ModelError
from seg_sql.run import Run
from seg_sql.step import Steps
from seg_sql.unit_testing import sql_type
from seg_sql.workspace import Node, Workspace


def fit(run: Run, node: Node, select: str) -> Fit:
    """Run the driver of an algorithm model over its SELECT; its outputs become hidden relations.

    Raises:
        ModelError: The rows or the options allow no fit.
    """
    workspace, algorithm = run.workspace, node.algorithm
    assert algorithm is not None
    if algorithm.keyed and not node.config.unique_key:
        raise ModelError(
            f"{node.name} does not say which column identifies a row.",
            where=node.model.shown,
            hint="Add unique_key='customer_id', or what it is, to its config().",
        )
    steps = Steps(
        workspace,
        run.engine,
        run.work,
        f"algorithms/{algorithm.name}",
        model=node.name,
        log=run.log,
        counter=run.steps.counter,
    )
    existing = run.engine.existing()
    try:
        rows = steps.relation(steps.table(select)) if algorithm.keyed else f"(\n{select}\n)"
        found = algorithm.fit(steps, rows, task(workspace, node, existing))
        for part, table in found.outputs.items():
            workspace.hidden[node.outputs[part].name] = table
            steps.made.remove(table)
        for sentence in found.warnings:
            steps.warn(sentence)
    finally:
        if not run.lost:
            steps.drop(*reversed(steps.made))
    return found


def empty(run: Run, node: Node, select: str) -> Fit:
    """Make the outputs of an algorithm model without a row, for `--empty`: there is nothing to fit.

    The SELECT is checked, and gives the key's types; the other types are those of schema.yml.
    """
    known = {column.name: column.type for column in run.engine.describe(select)}
    renderer = run.workspace.renderer
    outputs = {}
    for part, output in node.outputs.items():
        columns = [
            {
                "name": column.name,
                "type": known.get(column.name) or sql_type(column.data_type, "text", renderer),
            }
            for column in output.entry.columns
        ]
        outputs[part] = run.steps.table(run.steps.sql("rows", columns=columns, rows=[]), work=False)
        run.workspace.hidden[output.name] = outputs[part]
    return Fit(outputs, "not fitted")


def task(workspace: Workspace, node: Node, existing: dict[str, Existing]) -> Task:
    """Return what the driver is given: the key, the options, and where the last fit is."""
    day = workspace.renderer.variable("as_of")
    return Task(
        model=node.name,
        key=tuple(node.config.unique_key),
        options=node.options,
        as_of=None if day is None else str(day),
        previous={
            part: workspace.published(output.name)
            for part, output in node.outputs.items()
            if workspace.project.relation_name(output.name) in existing
        },
        keep_fit=node.name in workspace.kept_fits,
    )
