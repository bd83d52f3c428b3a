"""The build lock of a target on PostgreSQL: an advisory lock of the session, and who holds it."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

from seg_sql.errors import StartError

if TYPE_CHECKING:
    from seg_sql.engines.postgres import PostgresEngine

POLL_SECONDS = 0.2

_HOLDER = """
select l.pid, a.application_name, a.usename, a.client_addr::text,
    to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS TZ')
from pg_locks as l
left join pg_stat_activity as a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted and l.objsubid = 1
    and l.database = (select oid from pg_database where datname = current_database())
    and l.classid::bigint = %(high)s and l.objid::bigint = %(low)s
"""


def take(engine: PostgresEngine, wait: float) -> None:
    """Take the lock, or raise StartError that says who holds it."""
    database, schema = engine.target.dbname, engine.schema
    key = _key(database, schema)
    deadline = time.monotonic() + wait
    while not engine.send("select pg_try_advisory_lock(%(key)s)", {"key": key}).rows[0][0]:
        if time.monotonic() >= deadline:
            raise StartError(
                f"Another build of {database}.{schema} is running: {_holder(engine, key)}.",
                hint="Wait for it with --wait SECONDS.",
            )
        time.sleep(POLL_SECONDS)


def give_back(engine: PostgresEngine) -> None:
    """Give the lock back."""
    key = _key(engine.target.dbname, engine.schema)
    engine.send("select pg_advisory_unlock(%(key)s)", {"key": key})


def _holder(engine: PostgresEngine, key: int) -> str:
    whole = key & 0xFFFFFFFFFFFFFFFF
    found = engine.send(_HOLDER, {"high": whole >> 32, "low": whole & 0xFFFFFFFF}).rows
    return described_session(*found[0]) if found else "it has just ended"


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


def _key(database: str, schema: str) -> int:
    """Return a signed 64-bit number that stands for a target.

    >>> _key("shop", "crm") == _key("shop", "crm") != _key("shop", "crm2")
    True
    """
    digest = hashlib.sha256(f"seg-sql\0{database}\0{schema}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
