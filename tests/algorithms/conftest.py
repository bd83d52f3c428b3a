from __future__ import annotations

from pathlib import Path

import pytest
from fitting import Clusters
from shop import Shop

from seg_sql.profiles import DuckDBTarget, PostgresTarget


@pytest.fixture
def clusters(tmp_path: Path, target: DuckDBTarget | PostgresTarget) -> Clusters:
    """A project on each engine in turn."""
    shop = Shop(tmp_path / "project", target)
    shop.write()
    return Clusters(shop)
