"""Features, and the rows of a relation as points."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seg_sql.engines import T
    from seg_sql.step import Steps

# The prime 2^31 - 1: lots and hashes of rows lie below it.
HASH_END = 2_147_483_647


@dataclass(frozen=True)
class Feature:
    """A column and how its values become coordinates: (transform(value) - center) / scale.

    Attributes:
        name: The column.
        transform: none, log1p or sqrt.
        fill_value: What stands for a missing value; None when such a row takes no part.
        lower_bound: Values below it are moved to it.
        upper_bound: Values above it are moved to it.
        center: The origin of the scaled feature, in transformed units.
        scale: Its unit, in transformed units.
        mean: The mean of the transformed values.
        deviation: Their population standard deviation.
        nonnegative: Whether no value is below zero, so that the short form of a transform serves.
    """

    name: str
    transform: str
    fill_value: float | None = None
    lower_bound: float | None = None
    upper_bound: float | None = None
    center: float = 0.0
    scale: float = 1.0
    mean: float = 0.0
    deviation: float = 1.0
    nonnegative: bool = False

    def scaled(self, value: float) -> float:
        """Return the coordinate of a value.

        >>> Feature("x", "log1p", center=1.0, scale=2.0).scaled(0.0)
        -0.5
        """
        transformed = value
        if self.transform == "log1p":
            transformed = math.copysign(math.log1p(abs(value)), value)
        elif self.transform == "sqrt":
            transformed = math.copysign(math.sqrt(abs(value)), value)
        return (transformed - self.center) / self.scale

    def unscaled(self, coordinate: float) -> float:
        """Return the value of a coordinate, the inverse of `scaled`.

        >>> Feature("x", "sqrt", center=1.0, scale=2.0).unscaled(-1.5)
        -4.0
        """
        value = coordinate * self.scale + self.center
        if self.transform == "log1p":
            return math.copysign(math.expm1(min(abs(value), 700.0)), value)
        if self.transform == "sqrt":
            return math.copysign(value * value, value)
        return value

    def context(self, step: Steps, *, exact: bool = False) -> dict[str, Any]:
        """Return what the templates read; `exact` forgets what is known of the fitted rows."""
        literal = step.engine.literal
        return {
            "column": step.engine.quote(self.name),
            "transform": self.transform,
            "fill_value": "" if self.fill_value is None else literal(self.fill_value),
            "lower_bound": "" if self.lower_bound is None else literal(self.lower_bound),
            "upper_bound": "" if self.upper_bound is None else literal(self.upper_bound),
            "center": literal(self.center),
            "scale": literal(self.scale),
            "nonnegative": self.nonnegative and not exact,
        }


@dataclass(frozen=True)
class Prepared:
    """A relation whose rows are ready to be taken as points.

    Attributes:
        relation: The relation.
        group_key: Which group it is.
        features: Its features.
        conditions: Which rows take part.
        weight: The weight of a row, as an expression; None when all weigh the same.
        key: The columns that identify a row.
        lot: The lot of a row, by its key, as an expression.
        rows: How many rows take part.
        total: Their weight.
        excluded: Rows left out, by reason.
        constant: Features left out, because they are the same in every row.
    """

    relation: str
    group_key: str
    features: tuple[Feature, ...]
    conditions: tuple[str, ...]
    weight: str | None
    key: tuple[str, ...]
    lot: str
    rows: int
    total: float
    excluded: Mapping[str, int]
    constant: tuple[str, ...] = ()

    @property
    def xs(self) -> list[str]:
        """Return the names of the coordinates."""
        return coordinates(len(self.features))

    @property
    def raws(self) -> tuple[str, ...]:
        """Return the names of the features in their own units, beside the coordinates."""
        return tuple(f"raw{place}" for place in range(len(self.features)))

    @property
    def squares(self) -> float:
        """Return the weighted sum of the squared scaled coordinates."""
        return self.total * sum(
            (each.deviation**2 + (each.mean - each.center) ** 2) / each.scale**2
            for each in self.features
        )

    def points(
        self,
        step: Steps,
        *,
        scaled: bool = True,
        kept: Sequence[str] = (),
        raw: bool = False,
        hashed: bool = False,
        below: int | None = None,
    ) -> str:
        """Return the SELECT of the points, in parentheses."""
        conditions = list(self.conditions)
        if below is not None:
            conditions.append(f"{self.lot} < {below}")
        return points_sql(
            step,
            self.relation,
            [feature.context(step) for feature in self.features],
            scaled=scaled,
            kept=kept,
            raw=raw,
            lot=self.lot if hashed else None,
            weight=self.weight,
            conditions=conditions,
        )

    def sparingly(self, step: Steps, run: Callable[[], T], *, made: int = 0) -> T:
        """Run a statement that reads all rows; `made` is how many points it makes."""
        columns = len(self.features) + len(self.key) + (self.weight is not None)
        return step.engine.sparingly(
            run, rows=self.rows, columns=columns, made=made * 8 * (len(self.features) + 1)
        )


def points_sql(
    step: Steps,
    relation: str,
    features: Sequence[Mapping[str, Any]],
    *,
    conditions: Sequence[str],
    scaled: bool = True,
    kept: Sequence[str] = (),
    raw: bool = False,
    lot: str | None = None,
    weight: str | None = None,
) -> str:
    """Return the SELECT of a relation's rows as points, in parentheses."""
    select = step.sql(
        "points",
        relation=relation,
        features=features,
        conditions=conditions,
        scaled=scaled,
        kept=kept,
        raw=raw,
        lot=lot,
        weight=weight or step.engine.literal(1.0),
    )
    return f"(\n{select}\n)"


def coordinates(count: int) -> list[str]:
    """Return the names of the coordinates of a point."""
    return [f"x{place}" for place in range(count)]
