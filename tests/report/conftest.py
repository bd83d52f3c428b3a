from __future__ import annotations

from pathlib import Path

import pytest
from shop import Shop

from seg_sql.profiles import DuckDBTarget, PostgresTarget


@pytest.fixture
def shop(tmp_path: Path, target: DuckDBTarget | PostgresTarget) -> Shop:
    """A project without files yet, on each engine in turn."""
    return Shop(tmp_path / "project", target)


@pytest.fixture
def duckdb_shop(tmp_path: Path, duckdb_target: DuckDBTarget) -> Shop:
    """A project without files yet, for what is the same on every engine."""
    return Shop(tmp_path / "project", duckdb_target)
