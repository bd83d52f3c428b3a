"""The options of KMeans: one model with types, ranges, defaults and a sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Transform = Literal["none", "log1p", "sqrt"]
Scaling = Literal["zscore", "minmax", "robust", "none"]
Missing = Literal["drop", "mean", "median", "zero"]
Criterion = Literal["silhouette", "calinski_harabasz", "davies_bouldin", "elbow"]
Clusters = Annotated[int, Field(ge=2, le=100)]

# What one value for all features is kept under, and what a map without the feature falls back to.
EVERY = "*"


class KMeansOptions(BaseModel):
    """Options of a model with `materialized='kmeans'`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    features: list[str] | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="The columns to cluster by. Default: every numeric column but the key, the"
        " weights and the group columns.",
    )
    transform: dict[str, Transform] = Field(
        default={EVERY: "none"},
        description="none, log1p or sqrt, for all features or by feature; the last two are mirrored"
        " below zero, so that -x becomes minus what x becomes.",
    )
    scaling: dict[str, Scaling] = Field(
        default={EVERY: "zscore"},
        description="zscore, minmax, robust (median and interquartile range) or none (only moved to"
        " the mean), for all features or by feature.",
    )
    missing: dict[str, Missing] = Field(
        default={EVERY: "drop"},
        description="A row without the feature is dropped and counted, or gets the feature's mean,"
        " median or zero; for all features or by feature.",
    )
    constant: Literal["error", "drop"] = Field(
        default="error",
        description="A feature that is the same in every row is an error, or is dropped with a"
        " warning, as long as another is left.",
    )
    winsorize: tuple[float, float] | None = Field(
        default=None,
        description="Two quantiles, as in [0.01, 0.99]: values beyond them are moved to them.",
    )
    k: Clusters | list[Clusters] | Literal["auto"] = Field(
        default="auto",
        description="The number of clusters, a list of numbers, a range as in '3-8', or auto, which"
        " chooses from k_range.",
    )
    k_range: tuple[Clusters, Clusters] = Field(
        default=(3, 10), description="The first and last k that auto tries."
    )
    criterion: Criterion = Field(
        default="silhouette", description="What chooses among several k that are acceptable."
    )
    min_cluster_share: float = Field(
        default=0.01,
        ge=0,
        lt=0.5,
        description="With several k: the least share of rows of the smallest cluster.",
    )
    min_stability: float = Field(
        default=0.8,
        ge=-1,
        le=1,
        description="With several k: the least adjusted Rand index between the fits of two halves.",
    )
    init: Literal["kmeans++", "random"] = Field(
        default="kmeans++",
        description="How start centroids are drawn: far from each other (kmeans++), or any rows.",
    )
    init_centroids: str | None = Field(
        default=None,
        description="A relation with the start centroids instead: cluster_id, feature, value in the"
        " feature's own unit, and group_key where there are groups; k is how many they are.",
    )
    restarts: int = Field(
        default=10,
        ge=1,
        le=50,
        description="Starts of which the best is kept; those clearly behind are dropped early.",
    )
    seed: int = Field(
        default=1, ge=0, lt=2**31, description="The same seed and data give the same clusters."
    )
    tolerance: float = Field(
        default=1e-4,
        ge=0,
        le=1,
        description="Converged when the squared moves of the centroids sum to no more than this"
        " times the features' mean variance; on many rows also when they would gain less than half"
        " this share of the inertia, at most 0.005 %.",
    )
    max_iterations: int = Field(
        default=300, ge=1, le=10_000, description="Rounds over all rows after which it stops."
    )
    sample_rows: int = Field(
        default=20_000,
        ge=0,
        description="Rows of the hash sample that the fit starts on; 0 starts on all rows.",
    )
    weights: str | None = Field(
        default=None, description="A column that says how many rows a row counts as."
    )
    group_by: list[str] = Field(
        default=[], description="Columns whose values are clustered each on their own."
    )
    warm_start: bool = Field(
        default=False, description="Start from the centroids of the last fit, if they fit."
    )
    refit: Literal["always", "never", "monthly"] = Field(
        default="always",
        description="When the centroids are fitted anew; otherwise the published ones score the"
        " rows of today.",
    )

    @field_validator("transform", "scaling", "missing", mode="before")
    @classmethod
    def _by_feature(cls, value: Any) -> Any:
        return {EVERY: value} if isinstance(value, str) else value

    @field_validator("group_by", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("k", mode="before")
    @classmethod
    def _range(cls, value: Any) -> Any:
        """Read '3-8' as a list; sort a list and drop what repeats."""
        if isinstance(value, str) and value != "auto":
            first, dash, last = value.partition("-")
            if not (dash and first.strip().isdigit() and last.strip().isdigit()):
                raise ValueError(f"write a number, a list, a range as in '3-8', or auto: '{value}'")
            value = list(range(int(first), int(last) + 1))
        if isinstance(value, list):
            if not value:
                raise ValueError("there is no number of clusters in it")
            return sorted(set(value))
        return value

    @model_validator(mode="after")
    def _consistent(self) -> KMeansOptions:
        if self.winsorize is not None and not 0 <= self.winsorize[0] < self.winsorize[1] <= 1:
            raise ValueError("winsorize: give two quantiles between 0 and 1, the lower one first")
        if self.k_range[0] > self.k_range[1]:
            raise ValueError("k_range: the first number is above the second")
        for option in ("transform", "scaling", "missing"):
            unknown = set(getattr(self, option)) - {EVERY, *(self.features or ())}
            if self.features is not None and unknown:
                raise ValueError(f"{option}: '{min(unknown)}' is not one of the features")
        return self

    @property
    def candidates(self) -> list[int]:
        """Return every k that is tried, ascending."""
        if self.k == "auto":
            return list(range(self.k_range[0], self.k_range[1] + 1))
        return [self.k] if isinstance(self.k, int) else list(self.k)

    def shaping(self) -> dict[str, Any]:
        """Return the options that hold for a new fit, and not for one that is kept.

        The features are compared with those of the fit.
        """
        return self.model_dump(exclude={"refit", "features"})

    def of(self, option: str, feature: str) -> str:
        """Return an option of a feature: its own, that of all, or the default."""
        given: Mapping[str, str] = getattr(self, option)
        default: Mapping[str, str] = type(self).model_fields[option].default
        return given.get(feature, given.get(EVERY, default[EVERY]))
