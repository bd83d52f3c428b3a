"""A small shop on each engine in turn, and what tests of a build ask of it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest
from build_shop import BuildShop, made, numbers_of

from seg_sql.profiles import DuckDBTarget, PostgresTarget


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


@pytest.fixture
def numbers(shop: BuildShop) -> Callable[..., BuildShop]:
    """Make a model `numbers` of given values, tested by what schema.yml says of it."""

    return functools.partial(numbers_of, shop)
