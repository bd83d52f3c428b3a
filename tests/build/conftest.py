"""A small shop on each engine in turn, and what tests of a build ask of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from build_shop import BuildShop

from seg_sql.profiles import DuckDBTarget, PostgresTarget

# Three customers, five orders: ann 9 + 3, bob 40, eve 30 + 30; and a guest for 6.
LINES = [
    ("ann", "1", "2026-01-05", "mug", 2, 4.5),
    ("ann", "2", "2026-02-05", "cup", 1, 3.0),
    ("bob", "3", "2026-01-15", "mug", 10, 4.0),
    ("eve", "4", "2026-03-01", "pot", 1, 30.0),
    ("eve", "5", "2026-03-31", "pot", 1, 30.0),
    (None, "6", "2026-03-31", "cup", 2, 3.0),
]


@pytest.fixture
def shop(tmp_path: Path, target: DuckDBTarget | PostgresTarget) -> BuildShop:
    """A project with six order lines."""
    return made(BuildShop(tmp_path / "project", target))


@pytest.fixture
def duckdb_shop(tmp_path: Path, duckdb_target: DuckDBTarget) -> BuildShop:
    """The same on DuckDB only, for what no engine has a part in."""
    return made(BuildShop(tmp_path / "project", duckdb_target))


@pytest.fixture
def postgres_shop(tmp_path: Path, postgres_target: PostgresTarget) -> BuildShop:
    """The same on PostgreSQL only."""
    return made(BuildShop(tmp_path / "project", postgres_target))


def made(shop: BuildShop) -> BuildShop:
    shop.load(LINES)
    shop.write()
    return shop


@pytest.fixture
def numbers(shop: BuildShop) -> Callable[..., BuildShop]:
    """Make a model `numbers` of given values, tested by what schema.yml says of it."""

    def make(values: str, **schema: object) -> BuildShop:
        shop.seed("given", values)
        shop.model("numbers", "select * from {{ ref('given') }}")
        shop.schema(models=[{"name": "numbers", **schema}])
        return shop

    return make
