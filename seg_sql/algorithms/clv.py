"""Customer lifetime value as the graph knows it: options and outputs; the driver comes later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from seg_sql.algorithm import Algorithm, Fit, Task
from seg_sql.algorithms.clv_options import CLVOptions

if TYPE_CHECKING:
    from seg_sql.step import Steps


def fit(step: Steps, relation: str, task: Task) -> Fit:
    """Fit the models of buying and of value; leave a work table for each output."""
    from seg_sql.algorithms import clv_fit

    return clv_fit.fit(step, relation, task)


def apply(step: Steps, outputs: Mapping[str, str], relation: str, task: Task) -> str:
    """Return one plain SELECT that values customers with published parameters."""
    from seg_sql.algorithms import clv_scored

    return clv_scored.apply(step, outputs, relation, task)


ALGORITHM = Algorithm(name="clv", options=CLVOptions, fit=fit, apply=apply)
