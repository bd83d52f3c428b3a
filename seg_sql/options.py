"""The variables of a project and the options of the packaged SQL models.

Each is one pydantic model: types, ranges, defaults and one sentence each. The documentation is
made from them, and SQL reads them as `var('as_of')` or `var('rfm').bins.recency`.
"""

from __future__ import annotations

import datetime
import itertools
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from seg_sql.errors import nearest

MEASURES = ("recency", "frequency", "monetary")
PACKAGED_MAPS = ("rf_10", "classic_125")


class ProjectVars(BaseModel):
    """The variables that seg-sql itself reads; a project may add its own."""

    model_config = ConfigDict(extra="allow", frozen=True)

    as_of: datetime.date | None = Field(
        default=None,
        description="The first day that is not read. Default: the day after the last order line.",
    )
    timezone: str = Field(default="UTC", description="The time zone that dates are taken in.")
    refunds: Literal["net", "drop", "error"] = Field(
        default="net",
        description="Negative lines are netted, dropped, or stop the build.",
    )
    duplicates: Literal["count", "drop", "ignore"] = Field(
        default="count",
        description="Equal lines are kept and counted, dropped, or not looked for.",
    )
    history_starts: datetime.date | None = Field(
        default=None,
        description="The first day that the input knows; customers of its first 90 days may be"
        " older than they look.",
    )
    history_keep: int | None = Field(
        default=None,
        ge=1,
        description="Months that customer_segment_history goes back; default: for ever.",
    )
    not_products: list[str | int] = Field(
        default_factory=list,
        description="Items that count for money and not for items, such as postage, where the input"
        " items does not say is_product.",
    )
    case_insensitive_items: bool = Field(
        default=False,
        description="Item ids that differ only by a to z for A to Z are one item.",
    )
    max_age_days: int | None = Field(
        default=None,
        ge=0,
        description="Warn when the last order line is more than this many days old.",
    )

    clv_time_unit: Literal["day", "week", "month"] = Field(
        default="week",
        description="The unit of time of customer lifetime value; a month is 30.4375 days.",
    )
    min_group: int = Field(
        default=5,
        ge=1,
        description="The report pools groups of fewer customers, so that no person is shown.",
    )

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            match = nearest(value, available_timezones()) or "Europe/London"
            raise ValueError(f"there is no time zone '{value}'; write {match}") from error
        return value


Bins = Annotated[int, Field(ge=2, le=9)]
Ties = Literal["value", "ntile"]


class PerMeasureBins(BaseModel):
    """Number of scores by measure."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    recency: Bins = 5
    frequency: Bins = 5
    monetary: Bins = 5


class PerMeasureTies(BaseModel):
    """How equal values are scored, by measure."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    recency: Ties = "value"
    frequency: Ties = "value"
    monetary: Ties = "value"


class CutPoints(BaseModel):
    """Fixed cut points by measure, ascending."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    recency: list[float] | None = None
    frequency: list[float] | None = None
    monetary: list[float] | None = None

    @field_validator("*")
    @classmethod
    def _ascending(cls, value: list[float] | None) -> list[float] | None:
        if value is None:
            return None
        if not 1 <= len(value) <= 8:
            raise ValueError("give 1 to 8 cut points")
        if any(later <= earlier for earlier, later in itertools.pairwise(value)):
            raise ValueError("cut points must ascend")
        return [round(cut, 6) for cut in value]


class RfmOptions(BaseModel):
    """Options of the packaged model `rfm`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bins: PerMeasureBins = Field(
        default=PerMeasureBins(), description="Scores from 1 to this number, one or by measure."
    )
    ties: PerMeasureTies = Field(
        default=PerMeasureTies(),
        description="'value': equal values get equal scores; 'ntile': groups of equal size.",
    )
    cut_points: CutPoints = Field(
        default=CutPoints(), description="Fixed cut points by measure, instead of quantiles."
    )
    boundary: Literal["right", "left"] = Field(
        default="right",
        description="A value on a cut point scores with the lower ('right') or upper ('left')"
        " interval.",
    )
    window: int | None = Field(
        default=None, ge=1, description="Read only the last so many days before as_of."
    )
    segment_map: str = Field(
        default="rf_10", description="rf_10, classic_125, or sql/seeds/rfm_map_<name>.csv."
    )
    refit: Literal["always", "never", "monthly"] = Field(
        default="always",
        description="When the cut points are taken anew; otherwise the published ones stay.",
    )

    def shaping(self) -> dict[str, Any]:
        """Return the options that hold for cut points when they are taken, and not when kept.

        Fixed cut points hold at once; without them those that were fixed before are kept.
        """
        cuts = self.cut_points.model_dump()
        return {
            "window": self.window,
            "cut_points": {measure: cut for measure, cut in cuts.items() if cut is None},
        }

    @field_validator("bins", "ties", mode="before")
    @classmethod
    def _one_for_all(cls, value: Any) -> Any:
        if isinstance(value, (int, str)) and not isinstance(value, bool):
            return dict.fromkeys(MEASURES, value)
        return value

    @model_validator(mode="before")
    @classmethod
    def _bins_from_cut_points(cls, data: Any) -> Any:
        """Take the number of bins of a measure from its cut points."""
        if not isinstance(data, dict) or not isinstance(data.get("cut_points"), dict):
            return data
        bins = cls._one_for_all(data.get("bins", 5))
        bins = dict(bins) if isinstance(bins, dict) else bins
        if isinstance(bins, dict):
            for measure, cuts in data["cut_points"].items():
                if isinstance(cuts, list) and measure in MEASURES:
                    bins[measure] = len(cuts) + 1
        return {**data, "bins": bins}

    @model_validator(mode="after")
    def _consistent(self) -> RfmOptions:
        bins = [getattr(self.bins, measure) for measure in MEASURES]
        if self.segment_map in PACKAGED_MAPS and bins != [5, 5, 5]:
            raise ValueError(
                f"the segment map {self.segment_map} knows the scores 1 to 5; with other bins"
                " write your own as sql/seeds/rfm_map_<name>.csv and name it in segment_map"
            )
        for measure in MEASURES:
            if getattr(self.ties, measure) == "ntile":
                if getattr(self.cut_points, measure) is not None:
                    raise ValueError(f"{measure} has cut points: ties: ntile cannot use them")
                if self.refit != "always":
                    raise ValueError(
                        f"refit: {self.refit} needs cut points to keep; {measure} has ties: ntile"
                    )
        return self


class RecommendationsOptions(BaseModel):
    """Options of the packaged model `recommendations`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["similar_items", "user"] = Field(
        default="similar_items",
        description="By items that go with the customer's own, or by what customers like him"
        " bought.",
    )
    top_n: int = Field(default=10, ge=1, le=1000, description="Items for each customer.")
    exclude_bought: bool = Field(
        default=True, description="Leave out what the customer has bought before."
    )
    half_life_days: float | None = Field(
        default=180,
        gt=0,
        description="What was bought this many days ago counts half; null for no ageing.",
    )
    neighbours: int = Field(
        default=50, ge=1, le=1000, description="method user: customers that are asked."
    )
    max_item_customers: int = Field(
        default=500,
        ge=2,
        description="method user: an item of more customers says nothing of who is alike.",
    )


MODEL_OPTIONS: dict[str, type[BaseModel]] = {
    "rfm": RfmOptions,
    "recommendations": RecommendationsOptions,
}
