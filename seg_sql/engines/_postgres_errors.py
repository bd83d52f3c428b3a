"""The errors of PostgreSQL as ours: what was lost, what is full, which right is missing."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

from seg_sql.engines import _shared
from seg_sql.errors import DatabaseError, sentence

if TYPE_CHECKING:
    import psycopg

    from seg_sql.profiles import PostgresTarget

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
        return DatabaseError(sentence(str(error)), sql=shown)
    said, state = error.diag, error.sqlstate or ""
    words = said.message_primary or str(error)
    message, hint = words.strip(), said.message_hint
    if said.message_detail and _DATA.fullmatch(state):
        message = f"{sentence(words)} {said.message_detail}"
    lost = connection.closed or connection.broken or _LOST.fullmatch(state) is not None
    if lost:
        message = f"The connection to PostgreSQL is lost: {sentence(words)}"
        hint = "Look into the server's log, then build again."
    elif state == _DISK_FULL or "no space left on device" in words.lower():
        message = f"The disk of the database server is full: {sentence(words)}"
        hint = "Free space there, then build again."
    elif "FROM must have an alias" in words:
        hint = "Before version 16 an input() or ephemeral model needs a name: {{ input('x') }} as x"
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


def hide_password(text: str, target: PostgresTarget) -> str:
    """Return `text` without the target's password, nor that of any connection string."""
    password = target.password.get_secret_value() if target.password else ""
    if password:
        text = re.sub(rf"(?<!\w){re.escape(password)}(?!\w)", "***", text)
    return _shared.hide_secrets(text)
