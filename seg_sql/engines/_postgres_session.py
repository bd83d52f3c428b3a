"""A session of PostgreSQL: opened or borrowed, and what it is set to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from seg_sql.engines import _shared
from seg_sql.engines._postgres_errors import hide_password
from seg_sql.errors import ConfigError, StartError, refused_as, sentence

if TYPE_CHECKING:
    import psycopg

    from seg_sql.engines.postgres import PostgresEngine
    from seg_sql.profiles import PostgresTarget

OLDEST = 15
APPLICATION = "seg-sql"

# The settings of a session that the engine changes, beside the time zone.
_CHANGED = ("standard_conforming_strings", "extra_float_digits", "client_min_messages")


def connect(target: PostgresTarget) -> psycopg.Connection[tuple[Any, ...]]:
    """Open a session in autocommit mode.

    Raises:
        StartError: No driver, no server, no such database, no right to log in, or too old.
    """
    try:
        import psycopg
    except ImportError as error:
        raise StartError(
            "A PostgreSQL target needs the package psycopg.", hint="pip install 'seg-sql[postgres]'"
        ) from error
    given = {
        "host": target.host,
        "port": target.port,
        "user": target.user,
        "password": target.password.get_secret_value() if target.password else None,
        "dbname": target.dbname,
        "sslmode": target.sslmode,
        "sslrootcert": target.sslrootcert,
        "connect_timeout": target.connect_timeout,
        "keepalives_idle": target.keepalives_idle,
        "application_name": APPLICATION,
        "client_encoding": "utf8",
    }
    arguments: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    try:
        connection = psycopg.connect(autocommit=True, prepare_threshold=None, **arguments)
    except psycopg.Error as error:
        # No cause: what a traceback shows of it is the driver's business, not ours to check.
        raise _start_error(hide_password(str(error), target), target) from None
    try:
        _check_version(connection)
    except StartError:
        connection.close()
        raise
    return connection


def _check_version(connection: psycopg.Connection[Any]) -> None:
    number = connection.info.server_version
    if number < OLDEST * 10000:
        raise StartError(
            f"PostgreSQL {server_version(number)} is too old: seg-sql needs {OLDEST} or newer."
        )


def borrow(connection: psycopg.Connection[Any]) -> Callable[[], None]:
    """Let us work on somebody's connection; return what gives it back as it was.

    Raises:
        StartError: It is closed, in a transaction, or to a server that is too old.
    """
    import psycopg
    from psycopg.pq import TransactionStatus
    from psycopg.rows import tuple_row

    status = connection.info.transaction_status
    if status == TransactionStatus.UNKNOWN:
        raise StartError("The connection is closed.", hint="Connect again.")
    if status != TransactionStatus.IDLE:
        raise StartError(
            "The connection is in a transaction.",
            hint="Commit it or roll it back first: connection.commit()",
        )
    _check_version(connection)
    before = {
        name: getattr(connection, name)
        for name in ("autocommit", "prepare_threshold", "row_factory", "cursor_factory")
    }
    connection.autocommit = True
    connection.prepare_threshold = None
    connection.row_factory = tuple_row
    connection.cursor_factory = psycopg.Cursor
    settings = {
        name: connection.execute("select current_setting(%s)", [name]).fetchone()
        for name in ("TimeZone", *_CHANGED)
    }

    def give_back() -> None:
        for name, row in settings.items():
            connection.execute("select set_config(%s, %s, false)", [name, row[0] if row else None])
        for name, value in before.items():
            setattr(connection, name, value)

    return give_back


def set_up(
    engine: PostgresEngine, target: PostgresTarget, timezone: str, *, read_only: bool
) -> None:
    """Set a session up: time zone, workers, role, search path and settings."""
    try:
        _set(engine, "TimeZone", timezone)
    except ConfigError as error:
        raise ConfigError(
            f"PostgreSQL knows no time zone '{timezone}'.",
            hint="Use a name such as Europe/London or UTC.",
        ) from error
    _set(engine, "standard_conforming_strings", "on")
    _set(engine, "extra_float_digits", "1")
    _set(engine, "client_min_messages", "warning")
    if target.threads is not None:
        workers = 0 if target.threads == 1 else target.threads
        _set(engine, "max_parallel_workers_per_gather", workers)
    if target.role is not None:
        _set(engine, "role", target.role)
    if target.search_path is not None:
        _set(engine, "search_path", target.search_path)
    for name, value in target.settings.items():
        _set(engine, name, value)
    if read_only:
        _set(engine, "default_transaction_read_only", "on")


def _set(engine: PostgresEngine, name: str, value: object) -> None:
    text = ("on" if value else "off") if isinstance(value, bool) else str(value)
    with refused_as(ConfigError, f"PostgreSQL refuses the setting '{name}'"):
        engine.send("select set_config(%(name)s, %(value)s, false)", {"name": name, "value": text})


def server_version(number: int) -> str:
    """Return a version number of the server as it is written.

    >>> server_version(160014)
    '16.14'
    """
    return f"{number // 10000}.{number % 10000}"


def _start_error(words: str, target: PostgresTarget) -> StartError:
    lower = words.lower()
    hint = "Look at host, port, user and dbname of the target in profiles.yml."
    if "password" in lower:
        hint = "Set the password of the target in profiles.yml, as an env_var."
    elif "permission denied for database" in lower:
        user = _shared.quoted(target.user or "the user")
        hint = f"GRANT CONNECT ON DATABASE {_shared.quoted(target.dbname)} TO {user};"
    return StartError(
        f"PostgreSQL at {target.described} cannot be reached: {sentence(words)}", hint=hint
    )
