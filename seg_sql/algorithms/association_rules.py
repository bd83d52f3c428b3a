"""Association rules as the graph knows them. The driver is imported when a fit begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from seg_sql.algorithm import Algorithm, Fit, Task

if TYPE_CHECKING:
    from seg_sql.step import Steps


class AssociationRulesOptions(BaseModel):
    """Options of a model with `materialized='association_rules'`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_support: float = Field(
        default=0.01,
        gt=0,
        le=1,
        description="The share of baskets that must have all items of a rule.",
    )
    min_baskets: int = Field(
        default=5,
        ge=1,
        description="The fewest baskets that must have all items of a rule, however few there are"
        " in all: of 95 baskets a min_support of 0.01 is one, and any basket full of rules.",
    )
    min_confidence: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="Of the baskets with the antecedent, the share that must have the consequent.",
    )
    max_items: int = Field(
        default=4, ge=2, le=20, description="The most items of a rule, its consequent included."
    )
    max_itemsets: int = Field(
        default=10_000_000,
        ge=1,
        description="The most candidate itemsets of one size; a fit that would count more stops"
        " with an error before it does.",
    )
    partition_by: list[str] = Field(
        default_factory=list,
        description="Columns of the SELECT, such as a store: one result for each value.",
    )

    @field_validator("partition_by", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value


def fit(step: Steps, relation: str, task: Task) -> Fit:
    """Find the rules in a relation of order lines; leave a work table for each output."""
    from seg_sql.algorithms import association_rules_fit

    return association_rules_fit.fit(step, relation, task)


ALGORITHM = Algorithm(
    name="association_rules",
    options=AssociationRulesOptions,
    fit=fit,
    keyed=False,
)
