from __future__ import annotations

import pytest
from clv_fitting import Summaries
from kmeans_fitting import Clusters
from rules_fitting import Rules
from shop import Shop


@pytest.fixture
def clusters(shop: Shop) -> Clusters:
    """A project on each engine in turn."""
    shop.write()
    return Clusters(shop)


@pytest.fixture
def summaries(shop: Shop) -> Summaries:
    """A project on each engine in turn."""
    shop.write()
    return Summaries(shop)


@pytest.fixture
def rules(shop: Shop) -> Rules:
    """A project on each engine in turn."""
    shop.write()
    return Rules(shop)
