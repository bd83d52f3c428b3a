"""KMeans as the graph knows it: options and outputs. The driver is imported when a fit begins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from seg_sql.algorithm import Algorithm, Fit, Task
from seg_sql.algorithms.kmeans_options import KMeansOptions

if TYPE_CHECKING:
    from seg_sql.step import Steps


def fit(step: Steps, relation: str, task: Task) -> Fit:
    """Cluster the rows of a relation; leave a work table for each output."""
    from seg_sql.algorithms import kmeans_fit

    return kmeans_fit.fit(step, relation, task)


def apply(step: Steps, outputs: Mapping[str, str], relation: str, task: Task) -> str:
    """Return one plain SELECT that assigns the rows of a relation to published clusters."""
    from seg_sql.algorithms import kmeans_score

    return kmeans_score.apply(step, outputs, relation, task)


ALGORITHM = Algorithm(name="kmeans", options=KMeansOptions, fit=fit, apply=apply)
