"""The order lines that item similarity and association rules read, in partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seg_sql.algorithm import Task
from seg_sql.errors import ModelError, did_you_mean

if TYPE_CHECKING:
    from seg_sql.step import Steps


def checked_columns(step: Steps, relation: str, task: Task) -> list[str]:
    """Return the columns of the lines, if those of the option partition_by are among them.

    Raises:
        ModelError: partition_by names another.
    """
    select = step.beside("runner").sql("all_rows", relation=relation)
    known = [column.name for column in step.engine.describe(select)]
    for column in task.options.partition_by:
        if column not in known:
            raise ModelError(
                f"partition_by names '{column}', which is no column of the SELECT of {task.model}.",
                hint=did_you_mean(column, known)
                or "Add it under attributes: of order_lines in seg_sql.yml.",
            )
    return known
