from __future__ import annotations

from pathlib import Path

import pytest
from dbt_environment import environment


@pytest.fixture(scope="session")
def dbt() -> Path:
    """The dbt of a virtual environment of its own."""
    return environment()
