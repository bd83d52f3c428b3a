"""Fits and scores of clv on a customer summary of a test's own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from fits import Fits, Rows

from seg_sql.algorithms import Fit, Task
from seg_sql.algorithms.clv import ALGORITHM
from seg_sql.algorithms.clv_options import CLVOptions

SUMMARY_TYPES = {
    "customer_id": "integer",
    "cohort": "varchar",
    "frequency": "integer",
    "recency": "double precision",
    "age": "double precision",
    "monetary_value": "double precision",
}
PARAMETER_TYPES = {
    "group_key": "varchar",
    "model": "varchar",
    "fit": "varchar",
    "parameter": "varchar",
    "estimate": "double precision",
    "std_error": "double precision",
}


class Summaries(Fits):
    """A shop with customer summaries, and the fits made of them."""

    algorithm = ALGORITHM
    model = "clv"

    def load(self, frame: Any, *, name: str = "raw") -> None:
        """Make a summary of columns frequency, recency, age and, where known, the others."""
        frame = frame.assign(customer_id=range(1, len(frame) + 1))
        for column in SUMMARY_TYPES:
            if column not in frame:
                frame[column] = "all" if column == "cohort" else None
        further = {each: "double precision" for each in ("gap_variation",) if each in frame}
        self.shop.load_frame(frame, {**SUMMARY_TYPES, **further}, name=name)

    def fit(
        self, *, relation: str = "raw", previous: Mapping[str, str] | None = None, **options: Any
    ) -> tuple[Fit, dict[str, Rows]]:
        """Fit on a raw summary; return the fit and the rows of each output."""
        task = Task(
            model=self.model,
            key=("customer_id",),
            options=CLVOptions(**options),
            as_of="2026-01-01",
            previous=previous or {},
            keep_fit=previous is not None,
        )
        fit, rows, left = self.run(relation, task)
        assert not left
        return fit, rows

    def score(
        self, parameters: Mapping[tuple[str, str], Mapping[str, float]], **options: Any
    ) -> dict[int, dict[str, Any]]:
        """Score the summary by given parameters of each (group_key, model); rows by customer."""
        given = pd.DataFrame(
            [
                {
                    "group_key": group,
                    "model": model,
                    "fit": "full",
                    "parameter": name,
                    "estimate": value,
                    "std_error": None,
                }
                for (group, model), values in parameters.items()
                for name, value in values.items()
            ]
        )
        self.shop.load_frame(given, PARAMETER_TYPES, name="given")
        task = Task(self.model, ("customer_id",), CLVOptions(**options), as_of="2026-01-01")
        select = self.apply({"parameters": self.shop.raw("given")}, "raw", task)
        with self.shop.engine() as engine:
            return {row["customer_id"]: row for row in engine.fetch(select).dicts()}


def by_group(rows: Sequence[Mapping[str, Any]], model: str) -> dict[str, dict[str, Any]]:
    """Return estimate and standard error of each parameter of the full fit, by group."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if (row["model"], row["fit"]) == (model, "full"):
            found.setdefault(row["group_key"], {})[row["parameter"]] = (
                row["estimate"],
                row["std_error"],
            )
    return found


def drawn(seed: int, customers: int = 400, **columns: Any) -> pd.DataFrame:
    """Draw whole customers from MBG/NBD and Gamma-Gamma: r .8, alpha 6, a .8, b 2.5; p 5, q 4, v 12."""
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(customers):
        age = float(random.integers(70, 700)) / 7
        rate, leaves = random.gamma(0.8, 1 / 6), random.beta(0.8, 2.5)
        at, x, last = 0.0, 0, 0.0
        while random.random() > leaves:
            at += random.exponential(1 / rate)
            if at > age:
                break
            x, last = x + 1, math.floor(at * 7) / 7
        mean = random.gamma(5 * x, 1 / random.gamma(4, 1 / 12)) / x if x else None
        rows.append((x, last, age, mean))
    frame = pd.DataFrame(rows, columns=["frequency", "recency", "age", "monetary_value"])
    return frame.assign(**columns)


def assert_finite(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        for name, value in row.items():
            assert not isinstance(value, float) or math.isfinite(value), (name, row)
