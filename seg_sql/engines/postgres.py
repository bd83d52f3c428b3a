"""PostgreSQL 15 or newer, through psycopg 3."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seg_sql.engines import (
    LONGEST_NAME,
    Column,
    Existing,
    FileFormat,
    Publication,
    RelationKind,
    Result,
    T,
    _postgres_lock,
    _shared,
)
from seg_sql.engines._postgres_columns import columns_of, parsed
from seg_sql.engines._postgres_errors import database_error
from seg_sql.engines._postgres_session import borrow, connect, server_version, set_up
from seg_sql.errors import ConfigError, DatabaseError

if TYPE_CHECKING:
    import psycopg
    from pandas import DataFrame
    from psycopg.pq.abc import PGresult

    from seg_sql.profiles import PostgresTarget

_EXISTING = """
select
    c.relname,
    case c.relkind
        when 'v' then 'view'
        when 'm' then 'materialized view'
        when 'f' then 'foreign table'
        else 'table'
    end as kind,
    obj_description(c.oid, 'pg_class') as comment
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
where n.nspname = %(schema)s and c.relkind in ('r', 'p', 'v', 'm', 'f')
    and (%(name)s::text is null or c.relname = %(name)s)
order by c.relname
"""

_RIGHTS = """
select
    current_user,
    current_database(),
    has_database_privilege(current_database(), 'create'),
    case when n.oid is not null then has_schema_privilege(n.oid, 'usage') end,
    case when n.oid is not null then has_schema_privilege(n.oid, 'create') end
from (select %(schema)s::text as name) as wanted
left join pg_namespace as n on n.nspname = wanted.name
"""


class PostgresEngine:
    """A connection to a PostgreSQL database, in autocommit mode outside of `publish`.

    Rows come as the driver gives them: a numeric as `decimal.Decimal`, so also a sum of bigints.
    """

    dialect = "postgres"
    reads_files = False
    work_lasts = True

    def __init__(
        self,
        target: PostgresTarget,
        *,
        timezone: str,
        read_only: bool = False,
        wait: float = 0.0,
        connection: psycopg.Connection[Any] | None = None,
    ) -> None:
        """Connect and set the session up.

        Args:
            target: Where the database is and how to log in.
            timezone: Name of the session's time zone.
            read_only: Whether the server is to refuse every change.
            wait: Not used: connecting needs no lock; `lock` waits.
            connection: Somebody's open connection to work on instead; closing gives it back.
        """
        self.schema = target.schema_
        self.target = target
        self.seconds = 0.0
        self._count = 0  # of the rows that the last statement read or wrote
        self._give_back = None if connection is None else borrow(connection)
        self._connection = connect(target) if connection is None else connection
        self.version = server_version(self._connection.info.server_version)
        try:
            set_up(self, target, timezone, read_only=read_only)
        except BaseException:
            self.close()
            raise

    def close(self, *, keep: bool = True) -> None:
        """End the connection; work that was not committed is undone."""
        with contextlib.suppress(Exception):
            if self._give_back is not None:
                self._give_back()
                return
            self._connection.close()

    def quote(self, name: str) -> str:
        """Return `name` as an identifier that means exactly that name.

        Raises:
            ConfigError: The name is longer than PostgreSQL keeps; it would cut it in silence.
        """
        quoted = _shared.quoted(name)
        if len(name.encode()) > LONGEST_NAME:
            raise ConfigError(
                f"The name '{name}' is {len(name.encode())} bytes long;"
                f" PostgreSQL keeps {LONGEST_NAME}."
            )
        return quoted

    def literal(self, value: object) -> str:
        """Return a Python value as a SQL literal; a float is a double, never a numeric.

        Raises:
            ValueError: NaN and infinity have no literal.
        """
        written = _shared.literal(value)
        if written is not None:
            return written
        # From text: as a number it would be a numeric first, which has no negative zero.
        return f"cast('{_shared.float_text(value)}' as double precision)"

    def relation(self, name: str, schema: str | None = None) -> str:
        """Return the quoted, qualified name of a relation, in the target schema by default."""
        return f"{self.quote(schema or self.schema)}.{self.quote(name)}"

    def execute(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run one statement and drop its result."""
        self.send(sql, parameters)

    def fetch(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result:
        """Run one query and return all its rows."""
        return self.send(sql, parameters)

    def describe(self, query: str) -> list[Column]:
        """Return the columns that a SELECT yields, without running it."""
        return columns_of(self, query)

    def frame(self, query: str) -> DataFrame:
        """Run one query and return its rows as a pandas frame."""
        import pandas

        result = self.fetch(query)
        frame = pandas.DataFrame(result.rows, columns=list(result.columns))
        for column in self.describe(query):
            if column.kind in ("date", "timestamp"):
                frame[column.name] = pandas.to_datetime(frame[column.name])
        return frame

    def export(self, query: str, file: Path, file_format: FileFormat) -> int:
        """Write the rows of a query to a file of this machine, with the types that they have."""
        from seg_sql.engines._postgres_files import export

        return export(self, query, file, file_format)

    def copy_out(self, query: str, file: Path, *, null: str) -> None:
        """Write the rows of a query to a CSV file of this machine, as the server sends them."""
        options = f"(format csv, header, null {self.literal(null)})"
        sql = f"copy (\n{query}\n) to stdout {options}"
        start = time.perf_counter()
        try:
            with (
                file.open("wb") as into,
                self._connection.cursor() as cursor,
                cursor.copy(sql) as rows,
            ):
                for part in rows:
                    into.write(part)
        except OSError:
            raise
        except Exception as error:
            raise self._error(error, query, sql) from error
        finally:
            self.seconds += time.perf_counter() - start

    def parse(self, query: str) -> PGresult:
        """Let the server parse a query, and return what it says of its columns."""
        start = time.perf_counter()
        try:
            return parsed(self._connection.pgconn, query)
        except Exception as error:
            raise self._error(error, query, query) from error
        finally:
            self.seconds += time.perf_counter() - start

    def existing(self) -> dict[str, Existing]:
        """Return the relations of the target schema by name, work relations included."""
        found = self.send(_EXISTING, {"schema": self.schema, "name": None})
        return {row[0]: Existing(*row) for row in found.rows}

    def existing_kind(self, name: str, schema: str | None = None) -> str | None:
        """Return what kind of relation `name` is, in the target schema by default; or None."""
        found = self.send(_EXISTING, {"schema": schema or self.schema, "name": name}).rows
        return found[0][1] if found else None

    def prepare_schema(self) -> None:
        """Create the target schema where it is missing."""
        # Only then: IF NOT EXISTS asks for the right to create even when there is nothing to do.
        found = self.send(
            "select 1 from pg_namespace where nspname = %(schema)s", {"schema": self.schema}
        )
        if not found.rows:
            self.send(f"create schema if not exists {self.quote(self.schema)}")

    def create(
        self,
        name: str,
        kind: RelationKind,
        select: str,
        *,
        work: bool = False,
        analyze: bool = True,
        computed: Mapping[str, str] | None = None,
    ) -> int | None:
        """Create a relation of the target schema and return its number of rows.

        Computed columns are stored: only PostgreSQL 18 could do without.
        """
        self.drop(name)
        what = "unlogged table" if work and kind == "table" else kind
        self.send(f"create {what} {self.relation(name)} as\n{select}", inner=select)
        rows = self._count
        if kind == "view":
            return None
        if analyze:
            self.send(f"analyze {self.relation(name)}")
        return rows

    def drop(self, name: str) -> None:
        """Drop a table or view of the target schema, if it exists; never what depends on it."""
        kind = self.existing_kind(name)
        if kind is not None:
            self.send(f"drop {kind} if exists {self.relation(name)}")

    def insert(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Append rows of Python values to a table of the target schema."""
        if not rows:
            return
        listed = ", ".join(map(self.quote, columns))
        into = f"insert into {self.relation(name)} ({listed}) values "
        # psycopg reads the text for placeholders: a percent sign of a name is doubled.
        sql = into.replace("%", "%%") + f"({', '.join(['%s'] * len(columns))})"
        with self.transaction():
            start = time.perf_counter()
            try:
                with self._connection.cursor() as cursor:
                    cursor.executemany(sql, rows)
            except Exception as error:
                raise self._error(error, sql, None) from error
            finally:
                self.seconds += time.perf_counter() - start

    def append(self, name: str, select: str) -> int:
        """Append the rows of a SELECT to a table of the target schema; return their number."""
        self.send(f"insert into {self.relation(name)}\n{select}", inner=select)
        rows = self._count
        self.send(f"analyze {self.relation(name)}")
        return rows

    def publish(self, publications: Sequence[Publication], *, first: Sequence[str] = ()) -> None:
        """Make finished relations visible under their names, all in one transaction."""
        from seg_sql.engines._postgres_publish import publish

        publish(self, publications, first)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the statements of a block in one transaction, undone after any error."""
        self.send("begin")
        try:
            yield
            self.send("commit")
        except BaseException:
            with contextlib.suppress(Exception):
                self._connection.execute("rollback")
            raise

    def checkpoint(self) -> None:
        """Do nothing: the server does it by itself."""

    def sparingly(self, run: Callable[[], T], *, rows: int, columns: int, made: int = 0) -> T:
        """Run a statement: the memory is the server's."""
        return run()

    def lock(self, wait: float) -> None:
        """Take the target's build lock, or raise StartError that says who holds it."""
        _postgres_lock.take(self, wait)

    def unlock(self) -> None:
        """Give the build lock back."""
        _postgres_lock.give_back(self)

    def rejected_rows(self) -> int:
        """Return 0: PostgreSQL reads no files here."""
        return 0

    def missing_rights(self) -> list[str]:
        """Return the GRANT sentence to send to the administrator for each right that is missing."""
        user, database, may_create, usage, create = self.send(
            _RIGHTS, {"schema": self.schema}
        ).rows[0]
        to = _shared.quoted(user)
        if usage is None:
            if may_create:
                return []
            return [f"GRANT CREATE ON DATABASE {_shared.quoted(database)} TO {to};"]
        schema = self.quote(self.schema)
        missing = [] if usage else [f"GRANT USAGE ON SCHEMA {schema} TO {to};"]
        return missing if create else [*missing, f"GRANT CREATE ON SCHEMA {schema} TO {to};"]

    def send(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        inner: str | None = None,
    ) -> Result:
        """Send a statement, take all its rows and the time; every statement goes through here.

        Args:
            sql: What is sent; as it is, percent signs too, when there are no parameters.
            parameters: Values by name.
            inner: The part of `sql` that was given to us; errors show it and count from it.
        """
        start = time.perf_counter()
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                while cursor.nextset():
                    pass
                columns = tuple(column.name for column in cursor.description or ())
                rows = cursor.fetchall() if cursor.description else []
                self._count = cursor.rowcount
        except Exception as error:
            sent = sql if parameters is None else None
            raise self._error(error, inner or sql, sent) from error
        finally:
            self.seconds += time.perf_counter() - start
        return Result(columns, rows)

    def _error(self, error: Exception, shown: str, sent: str | None) -> DatabaseError:
        return database_error(error, self._connection, self.target, shown=shown, sent=sent)
