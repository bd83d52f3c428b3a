"""One demo shop for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from demo_shop import CUSTOMERS, Shop, in_memory

from seg_sql.demo import generate


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop of seed 1; no test changes it."""
    engine = in_memory()
    folder = tmp_path_factory.mktemp("shop")
    yield Shop(engine, generate(engine, folder, customers=CUSTOMERS, seed=1))
    engine.close()
