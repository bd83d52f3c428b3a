"""The holdout of the recommendations as the graph knows it; its driver is imported when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from seg_sql.algorithm import Algorithm, Fit, Task

if TYPE_CHECKING:
    from seg_sql.step import Steps


class RecommendationsMetricsOptions(BaseModel):
    """Options of a model with `materialized='recommendations_metrics'`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    holdout: Literal["days", "last_order"] = Field(
        default="days",
        description="What is held out: the last days, or the last order of each customer.",
    )
    days: int = Field(default=30, ge=1, description="holdout days: how many before as_of.")
    k: list[Annotated[int, Field(ge=1, le=1000)]] = Field(
        default=[5, 10], min_length=1, description="How many items of a list are measured."
    )


def fit(step: Steps, relation: str, task: Task) -> Fit:
    """Refit the recommendations on the earlier lines of a relation, and measure them."""
    from seg_sql.algorithms import recommendations_holdout

    return recommendations_holdout.fit(step, relation, task)


ALGORITHM = Algorithm(
    name="recommendations_metrics",
    options=RecommendationsMetricsOptions,
    fit=fit,
    keyed=False,
)
