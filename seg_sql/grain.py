"""The grain of a published relation: the columns of which no two of its rows agree."""

from __future__ import annotations

from seg_sql.project import Model
from seg_sql.workspace import Workspace


def grain(workspace: Workspace, output: Model) -> list[str]:
    """Return the key of a model, or of an output of an algorithm; nothing where none is known."""
    node = workspace.nodes[workspace.owners[output.name]]
    if output.name == node.name and node.config.unique_key:
        return list(node.config.unique_key)
    for test in output.entry.data_tests:
        if isinstance(test, dict) and "unique_combination_of_columns" in test:
            given = test["unique_combination_of_columns"]
            return list({**given, **given.get("arguments", {})}["combination_of_columns"])
    unique = [column.name for column in output.entry.columns if "unique" in column.data_tests]
    return unique[:1]
