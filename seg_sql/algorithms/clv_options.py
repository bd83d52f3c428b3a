"""The options of customer lifetime value: types, ranges, defaults and a sentence each."""

from __future__ import annotations

import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Model = Literal["mbg_nbd", "bg_nbd", "pareto_nbd"]
MODELS: tuple[Model, ...] = ("mbg_nbd", "bg_nbd", "pareto_nbd")


class CLVOptions(BaseModel):
    """Options of a model with `materialized='clv'`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Literal["mbg_nbd", "bg_nbd", "pareto_nbd", "auto"] = Field(
        default="mbg_nbd",
        description="The model of buying: mbg_nbd, bg_nbd, pareto_nbd, or auto, which takes the one"
        " with the least error in the holdout, or without one the greatest log-likelihood.",
    )
    method: Literal["model", "historic", "average"] = Field(
        default="model",
        description="model; or for comparison historic (the value so far) or average (own mean"
        " value x own rate x the mean lifespan of repeat customers), which fit nothing.",
    )
    horizon: int = Field(
        default=52,
        ge=1,
        le=10_000,
        description="How far ahead orders and value are expected, in time units.",
    )
    discount_rate: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Taken off a later value, for each time unit: 0.002 a week is 11 % a year.",
    )
    margin: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="The share of an order's value that counts; at 1 clv is revenue.",
    )
    calibration_end: datetime.date | None = Field(
        default=None,
        description="The last day of the calibration period. Default: two thirds through the"
        " observed span, if that is 26 weeks or more.",
    )
    holdout: bool = Field(
        default=True,
        description="Whether the days after calibration_end are held out, to show how good the"
        " forecast is. false saves about a quarter of the time, and leaves clv_holdout and"
        " clv_metrics empty.",
    )
    group_by: list[str] = Field(
        default=[],
        description="Columns of the SELECT whose values get a model each, as a country.",
    )
    value_cap: float | None = Field(
        default=None,
        gt=0.5,
        lt=1,
        description="A quantile, as 0.99: mean values above it count as it, for Gamma-Gamma only.",
    )
    refit: Literal["always", "never", "monthly"] = Field(
        default="always",
        description="When the parameters are fitted anew; otherwise the published ones score the"
        " customers of today.",
    )
    sample_rows: int = Field(
        default=50_000,
        ge=0,
        description="With more distinct customers than this, a fit starts on a hash sample of about"
        " so many; 0 starts on all of them.",
    )
    max_iterations: int = Field(
        default=100, ge=1, le=10_000, description="Newton steps after which a fit stops."
    )

    @model_validator(mode="after")
    def _has_a_use(self) -> CLVOptions:
        if not self.holdout and self.calibration_end is not None:
            raise ValueError("calibration_end is where the holdout begins, and holdout is false")
        return self

    @field_validator("group_by", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    def shaping(self) -> dict[str, Any]:
        """Return the options that hold for a new fit, and not for one that is kept.

        The groups are compared with those of the fit.
        """
        after = {"refit", "method", "horizon", "discount_rate", "margin", "group_by"}
        return self.model_dump(exclude=after)

    @property
    def models(self) -> tuple[Model, ...]:
        """Return the models of buying that are fitted."""
        return MODELS if self.model == "auto" else (self.model,)
