"""The arguments that each packaged data test takes, and the settings that every data test has."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, field_validator, model_validator

# `min_value: "{{ var('x') }}"` and SQL expressions are texts; so is nothing else.
Value = StrictBool | int | float | datetime.date | datetime.datetime | str
BOUND = r"^\s*(>=|<=|!=|=|>|<)\s*(\d+)\s*$"


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Settings(_Arguments):
    """What every data test of schema.yml may say beside its arguments."""

    name: str | None = Field(default=None, pattern=r"^\w+$")
    description: str = ""
    enabled: bool = True
    severity: Literal["error", "warn"] = "error"
    error_if: str = Field(default="> 0", pattern=BOUND)
    warn_if: str = Field(default="> 0", pattern=BOUND)
    where: str | None = None

    @field_validator("severity", mode="before")
    @classmethod
    def _any_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value


class SingularSettings(Settings):
    """What the config() of a test of one's own in sql/tests may say."""

    name: None = None
    where: None = None


class AcceptedValues(_Arguments):
    """The values that a column may have."""

    values: Annotated[list[Value], Field(min_length=1)]

    @field_validator("values", mode="before")
    @classmethod
    def _no_null(cls, value: object) -> object:
        if isinstance(value, list) and None in value:
            raise ValueError("NULL is not a value; not_null says whether it may be missing")
        return value


class Relationships(_Arguments):
    """The other relation, and its column."""

    to: str
    field: str

    @field_validator("to")
    @classmethod
    def _call(cls, value: str) -> str:
        if "(" not in value:
            raise ValueError(f"write ref('{value}')")
        return value


class Combination(_Arguments):
    """The columns that no two rows may agree in."""

    combination_of_columns: Annotated[list[str], Field(min_length=1)]


class Expression(_Arguments):
    """What must be true of every row."""

    expression: str


class Range(_Arguments):
    """The range of a column."""

    min_value: Value | None = None
    max_value: Value | None = None
    inclusive: bool = True

    @model_validator(mode="after")
    def _some_end(self) -> Range:
        if self.min_value is None and self.max_value is None:
            raise ValueError("give min_value, max_value or both")
        return self


class RowCount(_Arguments):
    """The range of the number of rows."""

    min_value: int | str | None = None
    max_value: int | str | None = None

    @model_validator(mode="after")
    def _some_end(self) -> RowCount:
        if self.min_value is None and self.max_value is None:
            raise ValueError("give min_value, max_value or both")
        return self


class Sum(_Arguments):
    """What a column adds up to."""

    value: int | float | str
    tolerance: float = Field(default=1e-9, ge=0)


ARGUMENTS: dict[str, type[BaseModel]] = {
    "accepted_range": Range,
    "accepted_values": AcceptedValues,
    "expression_is_true": Expression,
    "not_empty": _Arguments,
    "not_null": _Arguments,
    "relationships": Relationships,
    "row_count_between": RowCount,
    "sums_to": Sum,
    "unique": _Arguments,
    "unique_combination_of_columns": Combination,
}
"""By packaged test."""

ON_COLUMN = frozenset(
    ["accepted_range", "accepted_values", "not_null", "relationships", "sums_to", "unique"]
)
"""The packaged tests that are about one column."""
