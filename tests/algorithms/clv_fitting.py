"""Fits and scores of clv on a customer summary of a test's own, without the runner around them."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from shop import Shop

from seg_sql.algorithms import Fit, Task
from seg_sql.algorithms.clv import ALGORITHM
from seg_sql.algorithms.clv_options import CLVOptions
from seg_sql.events import Log
from seg_sql.project import load_project
from seg_sql.step import Steps
from seg_sql.workspace import Workspace

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


@dataclass
class Summaries:
    """A shop with customer summaries, and the fits made of them."""

    shop: Shop
    counter: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    log: Log = field(default_factory=Log)

    def load(self, frame: Any, *, name: str = "raw") -> None:
        """Make a summary of columns frequency, recency, age and, where known, monetary_value."""
        frame = frame.assign(customer_id=range(1, len(frame) + 1))
        for column in SUMMARY_TYPES:
            if column not in frame:
                frame[column] = "all" if column == "cohort" else None
        self.shop.load_frame(frame, SUMMARY_TYPES, name=name)

    def fit(
        self, *, relation: str = "raw", previous: Mapping[str, str] | None = None, **options: Any
    ) -> tuple[Fit, dict[str, list[dict[str, Any]]]]:
        """Fit on a raw summary; return the fit and the rows of each output."""
        with self.steps() as step:
            task = Task(
                model="clv",
                key=("customer_id",),
                options=CLVOptions(**options),
                as_of="2026-01-01",
                previous=previous or {},
                keep_fit=previous is not None,
            )
            fit = ALGORITHM.fit(step, self.shop.raw(relation), task)
            assert set(fit.outputs) == set(ALGORITHM.outputs)
            # What is not an output is gone.
            assert set(step.made) == set(fit.outputs.values())
            rows = {
                name: step.engine.fetch(f"select * from {step.relation(table)}").dicts()
                for name, table in fit.outputs.items()
            }
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
        with self.steps() as step:
            task = Task("clv", ("customer_id",), CLVOptions(**options), as_of="2026-01-01")
            assert ALGORITHM.apply is not None
            select = ALGORITHM.apply(
                step, {"parameters": self.shop.raw("given")}, self.shop.raw("raw"), task
            )
            return {row["customer_id"]: row for row in step.engine.fetch(select).dicts()}

    @contextlib.contextmanager
    def steps(self) -> Iterator[Steps]:
        self.log = Log()
        project = load_project(self.shop.folder)
        with self.shop.engine() as engine:
            workspace = Workspace(project, engine, dialect=engine.dialect, schema=engine.schema)
            yield Steps(
                workspace,
                "algorithms/clv",
                run="deadbeef",
                model="clv",
                log=self.log,
                counter=self.counter,
            )


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
