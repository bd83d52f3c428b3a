from __future__ import annotations

from pathlib import Path

import pytest
from few_orders import ORDERS
from shop import Shop

from seg_sql.profiles import DuckDBTarget, PostgresTarget


@pytest.fixture
def shop(tmp_path: Path, target: DuckDBTarget | PostgresTarget) -> Shop:
    """A project of a few orders, on each engine in turn."""
    shop = Shop(tmp_path / "project", target)
    shop.load(ORDERS)
    shop.write(
        vars={"as_of": "2026-04-01"},
        models={"customer_clusters": {"k": 2, "sample_rows": 0, "restarts": 2}},
    )
    return shop
