"""What a driver finds in a table of a test's own, without the runner around it."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from shop import Shop

from seg_sql.algorithm import Algorithm, Fit, Task
from seg_sql.events import Log
from seg_sql.project import load_project
from seg_sql.step import Steps
from seg_sql.workspace import Workspace

Rows = list[dict[str, Any]]


@dataclass
class Fits:
    """A shop, and the fits made in it."""

    shop: Shop
    counter: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    log: Log = field(default_factory=Log)
    algorithm: ClassVar[Algorithm]
    model: ClassVar[str]

    def run(self, relation: str, task: Task) -> tuple[Fit, dict[str, Rows], list[str]]:
        """Fit on a raw table; return the fit, the rows of each output, and what else was left."""
        with self.steps() as step:
            kept: set[str] = set()
            try:
                fit = self.algorithm.fit(step, self.shop.raw(relation), task)
                assert set(fit.outputs) == set(self.algorithm.outputs)
                kept = set(fit.outputs.values())
                left = [name for name in step.made if name not in kept]
                rows = {
                    name: step.engine.fetch(f"select * from {step.relation(table)}").dicts()
                    for name, table in fit.outputs.items()
                }
            finally:
                step.drop(*(name for name in reversed(step.made) if name not in kept))
            return fit, rows, left

    def published(self, fit: Fit) -> dict[str, str]:
        """Return the outputs of a fit as the next fit finds them."""
        with self.steps() as step:
            return {name: step.relation(table) for name, table in fit.outputs.items()}

    def apply(self, outputs: Mapping[str, str], relation: str, task: Task) -> str:
        """Return the SELECT that scores a raw table with published outputs."""
        assert self.algorithm.apply is not None
        with self.steps() as step:
            return self.algorithm.apply(step, outputs, self.shop.raw(relation), task)

    @contextlib.contextmanager
    def steps(self) -> Iterator[Steps]:
        self.log = Log()
        project = load_project(self.shop.folder)
        with self.shop.engine() as engine:
            workspace = Workspace(project, engine, dialect=engine.dialect, schema=engine.schema)
            yield Steps(
                workspace,
                f"algorithms/{self.algorithm.name}",
                run="deadbeef",
                model=self.model,
                log=self.log,
                counter=self.counter,
            )
