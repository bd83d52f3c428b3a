"""The outputs that a driver computed itself, as tables: their columns are those of schema.yml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seg_sql.algorithm import outputs_of

if TYPE_CHECKING:
    from seg_sql.step import Steps

Rows = Sequence[Sequence[Any]]


def output_table(step: Steps, output: str, rows: Rows) -> str:
    """Make the table of an output; each row has its values in the order of the columns."""
    literal = step.engine.literal
    select = step.sql(
        "literal_rows",
        columns=outputs_of(step.folder)[output].columns,
        rows=[[literal(value) for value in row] for row in rows],
    )
    return step.table(select, work=False)


def output_tables(step: Steps, rows: Mapping[str, Rows]) -> dict[str, str]:
    """Make the table of every output but the model's own; one that has no rows is empty."""
    return {
        output: output_table(step, output, rows.get(output, ()))
        for output in outputs_of(step.folder)
        if output
    }
