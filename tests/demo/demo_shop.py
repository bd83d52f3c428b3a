"""A demo shop of 10,000 customers, with the tables that its files were written from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from seg_sql.demo import DemoData, Truth
from seg_sql.engines import Engine, open_engine
from seg_sql.profiles import DuckDBTarget

CUSTOMERS = 10_000
TRUTH = Truth()

# A statistic may lie this many standard errors from its expectation. All draws follow from the
# seed, so a test that passes once passes always; of 50 such tests one in 300 seeds fails one.
ERRORS = 4.0


@dataclass(frozen=True)
class Shop:
    engine: Engine
    data: DemoData

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        named = {name: f"'{path}'" for name, path in self.data.files.items()}
        return self.engine.fetch(sql.format(**named)).rows

    def column(self, sql: str) -> np.ndarray:
        return np.array([row[0] for row in self.rows(sql)])


def in_memory(threads: int = 2) -> Engine:
    return open_engine(DuckDBTarget(path=":memory:", threads=threads))
