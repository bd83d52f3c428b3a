"""Fits of KMeans on a table of a test's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fits import Fits, Rows

from seg_sql.algorithms import Fit, Task
from seg_sql.algorithms.kmeans import ALGORITHM
from seg_sql.algorithms.kmeans_options import KMeansOptions
from seg_sql.events import Iterated


class Clusters(Fits):
    """A shop, and the clusters found in it."""

    algorithm = ALGORITHM
    model = "customer_clusters"

    def fit(
        self,
        *,
        relation: str = "raw",
        key: Sequence[str] = ("customer_id",),
        as_of: str | None = "2026-01-01",
        previous: Mapping[str, str] | None = None,
        keep_fit: bool = False,
        **options: Any,
    ) -> tuple[Fit, dict[str, Rows]]:
        """Fit on a raw table; return the fit and the rows of each output."""
        task = Task(
            model=self.model,
            key=key,
            options=KMeansOptions(**options),
            as_of=as_of,
            previous=previous or {},
            keep_fit=keep_fit,
        )
        fit, rows, left = self.run(relation, task)
        assert not left
        return fit, rows

    def score(self, fit: Fit, *, relation: str = "raw", **options: Any) -> str:
        task = Task(self.model, ("customer_id",), KMeansOptions(**options))
        return self.apply(self.published(fit), relation, task)

    @property
    def iterations(self) -> list[Iterated]:
        return self.log.of(Iterated)
