"""Item similarity as the graph knows it. The driver is imported when a fit begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from seg_sql.algorithm import Algorithm, Fit, Task

if TYPE_CHECKING:
    from seg_sql.step import Steps

# Two items may share fewer baskets than these by chance, however often they are bought; the rules
# ask for as many by default.
FEW_BASKETS = 5

Measure = Literal["support", "confidence", "lift", "cosine", "jaccard", "npmi", "root_llr"]


class ItemSimilarityOptions(BaseModel):
    """Options of a model with `materialized='item_similarity'`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: Literal["order", "customer"] = Field(
        default="order",
        description="What a basket is: an order, or all that a customer bought.",
    )
    measure: Measure = Field(
        default="cosine", description="The measure that similar items are ranked by."
    )
    top_n: int = Field(default=20, ge=1, le=1000, description="Similar items for each item.")
    min_item_baskets: int = Field(
        default=2, ge=1, description="Items in fewer baskets are left out."
    )
    min_pair_baskets: int = Field(
        default=2, ge=1, description="Pairs that share fewer baskets are left out."
    )
    window_days: int | None = Field(
        default=None, ge=1, description="Read only the last so many days before as_of."
    )
    half_life_days: float | None = Field(
        default=None,
        gt=0,
        description="Baskets of this age weigh half in the ranking; counts stay counts.",
    )
    max_basket_items: int | None = Field(
        default=200,
        ge=2,
        description="Larger baskets are cut to this many items; null for no limit.",
    )
    large_baskets: Literal["sample", "drop"] = Field(
        default="sample",
        description="A basket over the limit keeps a sample, by a hash, or is left out.",
    )
    partition_by: list[str] = Field(
        default_factory=list,
        description="Columns of the SELECT, such as a store: one result for each value.",
    )


def fit(step: Steps, relation: str, task: Task) -> Fit:
    """Count the pairs of a relation of order lines; leave a work table for each output."""
    from seg_sql.algorithms import item_similarity_fit

    return item_similarity_fit.fit(step, relation, task)


ALGORITHM = Algorithm(
    name="item_similarity",
    options=ItemSimilarityOptions,
    fit=fit,
    keyed=False,
)
