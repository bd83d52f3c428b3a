"""PostgreSQL sessions: connecting, naming them, and turning the driver's errors into ours."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from seg_sql.engines import _shared
from seg_sql.errors import DatabaseError, StartError

if TYPE_CHECKING:
    import psycopg

    from seg_sql.profiles import PostgresTarget

OLDEST = 15
APPLICATION = "seg-sql"

# The settings of a session that the engine changes, beside the time zone.
_CHANGED = ("standard_conforming_strings", "extra_float_digits", "client_min_messages")

# Connection errors, and the server's ends of a session: shut down by the administrator or by a
# crash, still starting, idle for too long.
_LOST = re.compile(r"08...|57P01|57P02|57P03|57P05")
_DISK_FULL = "53100"
_DATA = re.compile(r"2[23]...")
_DENIED = "42501"
_DENIED_WORDS = re.compile(r"permission denied for (schema|database|[a-z ]*(?:table|view)) (.+)$")
_OWNER_WORDS = re.compile(r"must be owner of (table|view) (.+)$")
_MEMBER_WORDS = re.compile(r'must be (?:able to SET ROLE|member of role) "(.+)"')

_UNREADABLE = """
select n.nspname
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
where c.relname = %(name)s and c.relkind in ('r', 'p', 'v', 'm', 'f')
    and not has_table_privilege(c.oid, 'select')
"""


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
        f"PostgreSQL at {target.described} cannot be reached: {_shared.sentence(words)}", hint=hint
    )


def hide_password(text: str, target: PostgresTarget) -> str:
    """Return `text` without the target's password, nor that of any connection string."""
    password = target.password.get_secret_value() if target.password else ""
    if password:
        text = re.sub(rf"(?<!\w){re.escape(password)}(?!\w)", "***", text)
    return _shared.hide_secrets(text)


def described_session(
    pid: int, application: str | None, user: str | None, address: str | None, since: str | None
) -> str:
    """Return in words who a session is, as far as the server lets us see it.

    >>> described_session(7, "psql", "ann", "10.0.0.1", "2026-11-20 08:00:00 UTC")
    "process 7 (application 'psql', user ann, from 10.0.0.1, since 2026-11-20 08:00:00 UTC)"
    >>> described_session(7, None, None, None, None)
    'process 7'
    """
    parts = [
        f"application '{application}'" if application else "",
        f"user {user}" if user else "",
        f"from {address}" if address else "",
        f"since {since}" if since else "",
    ]
    said = ", ".join(part for part in parts if part)
    return f"process {pid} ({said})" if said else f"process {pid}"


def database_error(
    error: Exception,
    connection: psycopg.Connection[Any],
    target: PostgresTarget,
    *,
    shown: str,
    sent: str | None,
) -> DatabaseError:
    """Return an error of the driver as one of ours.

    Args:
        error: What the driver raised.
        connection: The session it was raised in.
        target: Where the session is.
        shown: The statement to show.
        sent: The statement as the server saw it, if that is known, so that its place counts.
    """
    import psycopg

    if not isinstance(error, psycopg.Error):
        # A value that cannot be sent, such as a text with a NUL character.
        return DatabaseError(_shared.sentence(str(error)), sql=shown)
    said, state = error.diag, error.sqlstate or ""
    words = said.message_primary or str(error)
    message, hint = words.strip(), said.message_hint
    if said.message_detail and _DATA.fullmatch(state):
        message = f"{_shared.sentence(words)} {said.message_detail}"
    lost = connection.closed or connection.broken or _LOST.fullmatch(state) is not None
    if lost:
        message = f"The connection to PostgreSQL is lost: {_shared.sentence(words)}"
        hint = "Look into the server's log, then build again."
    elif state == _DISK_FULL or "no space left on device" in words.lower():
        message = f"The disk of the database server is full: {_shared.sentence(words)}"
        hint = "Free space there, then build again."
    elif state == _DENIED:
        hint = _grant_hint(words, connection, target) or hint
    position = None
    if sent is not None and said.statement_position:
        place = int(said.statement_position) - 1 - sent.find(shown)
        position = place if 0 <= place <= len(shown) else None
    return DatabaseError(
        hide_password(message.strip(), target), sql=shown, position=position, lost=lost, hint=hint
    )


def _grant_hint(
    words: str, connection: psycopg.Connection[Any], target: PostgresTarget
) -> str | None:
    """Return the statement by which an administrator gives the right that was missing."""
    user = _shared.quoted(target.role or connection.info.user)
    owner, member = _OWNER_WORDS.search(words), _MEMBER_WORDS.search(words)
    if owner is not None:
        relation = f"{_shared.quoted(target.schema_)}.{_shared.quoted(owner[2])}"
        return f"ALTER {owner[1].upper()} {relation} OWNER TO {user};"
    if member is not None:
        return f"GRANT {_shared.quoted(member[1])} TO {user};"
    denied = _DENIED_WORDS.search(words)
    if denied is None:
        return None
    what, name = denied.groups()
    if what == "schema":
        right = "USAGE, CREATE" if name == target.schema_ else "USAGE"
        return f"GRANT {right} ON SCHEMA {_shared.quoted(name)} TO {user};"
    if what == "database":
        return f"GRANT CREATE ON DATABASE {_shared.quoted(name)} TO {user};"
    relation = _shared.quoted(name)
    with contextlib.suppress(Exception):
        # The server does not say in which schema; in a failed transaction it cannot be asked.
        schemas = connection.execute(_UNREADABLE, {"name": name}).fetchall()
        if len(schemas) == 1:
            relation = f"{_shared.quoted(schemas[0][0])}.{relation}"
    return f"GRANT SELECT ON {relation} TO {user};"


def sqlstate(error: DatabaseError) -> str:
    """Return the code of what the server said; empty if it said nothing."""
    return getattr(error.__cause__, "sqlstate", None) or ""
