"""Fits of KMeans on a table of a test's own, without the runner around them."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shop import Shop

from seg_sql.algorithms import Fit, Task
from seg_sql.algorithms.kmeans import ALGORITHM
from seg_sql.algorithms.kmeans_options import KMeansOptions
from seg_sql.events import Iterated, Log
from seg_sql.project import load_project
from seg_sql.step import Steps
from seg_sql.workspace import Workspace


@dataclass
class Clusters:
    """A shop, and the fits made in it."""

    shop: Shop
    counter: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    log: Log = field(default_factory=Log)
    made: list[str] = field(default_factory=list)

    def fit(
        self,
        *,
        relation: str = "raw",
        key: Sequence[str] = ("customer_id",),
        as_of: str | None = "2026-01-01",
        previous: Mapping[str, str] | None = None,
        keep_fit: bool = False,
        **options: Any,
    ) -> tuple[Fit, dict[str, list[dict[str, Any]]]]:
        """Fit on a raw table; return the fit and the rows of each output."""
        with self.steps() as step:
            task = Task(
                model="customer_clusters",
                key=key,
                options=KMeansOptions(**options),
                as_of=as_of,
                previous=previous or {},
                keep_fit=keep_fit,
            )
            fit = ALGORITHM.fit(step, self.shop.raw(relation), task)
            assert set(fit.outputs) == set(ALGORITHM.outputs)
            # What is not an output is gone.
            assert set(step.made) == set(fit.outputs.values())
            self.made = step.made
            rows = {
                name: step.engine.fetch(f"select * from {step.relation(table)}").dicts()
                for name, table in fit.outputs.items()
            }
            return fit, rows

    def published(self, fit: Fit) -> dict[str, str]:
        """Return the outputs of a fit as the next fit finds them."""
        with self.steps() as step:
            return {name: step.relation(table) for name, table in fit.outputs.items()}

    def score(self, fit: Fit, *, relation: str = "raw", **options: Any) -> str:
        with self.steps() as step:
            task = Task("customer_clusters", ("customer_id",), KMeansOptions(**options))
            outputs = {name: step.relation(table) for name, table in fit.outputs.items()}
            assert ALGORITHM.apply is not None
            return ALGORITHM.apply(step, outputs, self.shop.raw(relation), task)

    @contextlib.contextmanager
    def steps(self) -> Iterator[Steps]:
        self.log = Log()
        project = load_project(self.shop.folder)
        with self.shop.engine() as engine:
            workspace = Workspace(project, engine, dialect=engine.dialect, schema=engine.schema)
            yield Steps(
                workspace,
                "algorithms/kmeans",
                run="deadbeef",
                model="customer_clusters",
                log=self.log,
                counter=self.counter,
            )

    @property
    def iterations(self) -> list[Iterated]:
        return self.log.of(Iterated)
