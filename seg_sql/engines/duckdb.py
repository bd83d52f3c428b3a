"""DuckDB: a file that one process writes at a time, or a database in memory."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from seg_sql.engines import (
    WORK_PREFIX,
    Column,
    Existing,
    FileFormat,
    Publication,
    RelationKind,
    Result,
    T,
    _shared,
)
from seg_sql.engines._duckdb_columns import PACKED, columns_of
from seg_sql.engines._duckdb_errors import database_error
from seg_sql.engines._duckdb_file import Copy, check_folder, connect, create_file, writable
from seg_sql.engines._duckdb_rejects import rejected_rows
from seg_sql.engines._duckdb_session import (
    borrowed,
    fewer_threads,
    set_for_a_while,
    set_up,
    sparingly,
)
from seg_sql.errors import DatabaseError

if TYPE_CHECKING:
    from pandas import DataFrame

    from seg_sql.profiles import DuckDBTarget

INSERT_ROWS = 500

_KIND = """
select 'table' as kind, table_name
from duckdb_tables()
where database_name = current_database() and lower(schema_name) = lower($schema)
    and lower(table_name) = lower($name)
union all
select 'view' as kind, view_name
from duckdb_views()
where database_name = current_database() and lower(schema_name) = lower($schema)
    and lower(view_name) = lower($name)
"""

_EXISTING = """
select table_name, 'table' as kind, comment
from duckdb_tables()
where database_name = current_database() and lower(schema_name) = lower($schema)
union all
select view_name, 'view' as kind, comment
from duckdb_views()
where database_name = current_database() and lower(schema_name) = lower($schema)
    and not internal
order by 1
"""

_SCHEMA = """
select count(*)
from duckdb_schemas()
where database_name = current_database() and lower(schema_name) = lower($schema)
"""


class DuckDBEngine:
    """A connection to a DuckDB database.

    Rows come as the driver gives them: a DECIMAL as `decimal.Decimal`, a HUGEINT (as sums of
    integers are) as `int`.
    """

    dialect = "duckdb"
    reads_files = True
    work_lasts = False

    def __init__(
        self,
        target: DuckDBTarget,
        *,
        timezone: str,
        read_only: bool = False,
        wait: float = 0.0,
        connection: duckdb.DuckDBPyConnection | None = None,
    ) -> None:
        """Open the database and set the session up.

        Args:
            target: Where it is and how it is to be opened.
            timezone: Name of the session's time zone.
            read_only: Whether nothing will be written.
            wait: Seconds to wait for another process that holds the file.
            connection: Somebody's open connection to work on instead; closing gives it back.
        """
        self.schema = target.schema_
        self.version = duckdb.__version__
        self.seconds = 0.0
        self.cores: int | None = None  # where more threads than these were set
        self.deletes = False  # whether rows of a table that stays were deleted
        self._made: dict[str, str] = {}
        self._file = None if target.path == ":memory:" else Path(target.path)
        self._copy: Copy | None = None
        self.spares = False  # whether few blocks of small tables are kept
        self._settings: dict[str, Any] | None = None  # to give back with the connection
        self.while_open = contextlib.ExitStack()  # what is undone before the connection ends
        if connection is not None:
            self._connection = connection
            self._settings = borrowed(connection)
            set_up(self, target, timezone, ours=False)
            return
        path = self._file
        if path is not None:
            check_folder(path, read_only=read_only)
            if target.copy_on_build and not read_only:
                self._copy = Copy(path, wait)
                path = self._copy.sibling
        try:
            if path is not None and target.storage_version and not path.exists():
                create_file(path, target.storage_version)
            start = time.perf_counter()
            self._connection = connect(path, read_only=read_only, wait=wait)
            self.seconds += time.perf_counter() - start
        except BaseException:
            if self._copy is not None:
                self._copy.discard()
            raise
        try:
            set_up(self, target, timezone, ours=True)
        except BaseException:
            self.close(keep=False)
            raise

    def close(self, *, keep: bool = True) -> None:
        """End the connection.

        Args:
            keep: With `copy_on_build`, whether the copy replaces the file, or is thrown away.
        """
        if self._settings is not None:
            for name, value in self._settings.items():
                with contextlib.suppress(duckdb.Error):
                    self._connection.execute(f"set {name} = {self.literal(value)}")
            return
        self.while_open.close()
        with contextlib.suppress(duckdb.Error):
            self._connection.close()
        copy, self._copy = self._copy, None
        if copy is None:
            return
        if keep:
            copy.replace()
        else:
            copy.discard()

    def quote(self, name: str) -> str:
        """Return `name` as an identifier that means exactly that name."""
        return _shared.quoted(name)

    def literal(self, value: object) -> str:
        """Return a Python value as a SQL literal; a float is a DOUBLE, never a DECIMAL.

        Raises:
            ValueError: NaN and infinity have no literal.
        """
        written = _shared.literal(value)
        if written is not None:
            return written
        text = _shared.float_text(value)
        text = text if "e" in text else f"{text}e0"
        return f"({text})" if text.startswith("-") else text

    def relation(self, name: str, schema: str | None = None) -> str:
        """Return the quoted, qualified name of a relation, in the target schema by default."""
        if schema is None and self._made.get(name) == "temp table":
            return f"temp.{self.quote(name)}"
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
        self.describe(query)  # An error says where in the query it is.
        return self._connection.execute(query).df()

    def export(self, query: str, file: Path, file_format: FileFormat) -> int:
        """Write the rows of a query to a file, with the types that they have."""
        to = f"to {self.literal(str(file))} (format {file_format})"
        return int(self.send(f"copy (\n{query}\n) {to}", inner=query).rows[0][0])

    def existing(self) -> dict[str, Existing]:
        """Return the relations of the target schema by name, work relations included."""
        found = self.send(_EXISTING, {"schema": self.schema})
        return {row[0]: Existing(*row) for row in found.rows}

    def prepare_schema(self) -> None:
        """Create the target schema where it is missing."""
        if not self.send(_SCHEMA, {"schema": self.schema}).rows[0][0]:
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
        """Create a relation of the target schema and return its number of rows."""
        if name.startswith(WORK_PREFIX) and name not in self._made:
            # Its name is new, unless a killed run left it; to look takes longer than to make it.
            # What is never published is a temporary table: it is not compressed, nor written to
            # the file, which takes most of the time of a table.
            made_kind = "temp table" if work and kind == "table" else kind
            self._made[name] = made_kind
            what = f"create or replace {made_kind} {self.relation(name)}"
            try:
                made = self._make(what, name, select, computed)
            except DatabaseError as error:
                if "Existing object" not in error.message:
                    raise
                del self._made[name]
                self.drop(name)
                self._made[name] = made_kind
                made = self._make(what, name, select, computed)
        else:
            self.drop(name)
            made = self._make(f"create {kind} {self.relation(name)}", name, select, computed)
        if kind == "view":
            return None
        # No ANALYZE: DuckDB has counted distinct values while it wrote the rows.
        return int(made.rows[0][0])

    def _make(
        self, what: str, name: str, select: str, computed: Mapping[str, str] | None
    ) -> Result:
        """Make a relation; of a table whose columns can be computed only the others are stored.

        A text in every row takes as long to write as three numbers, however few texts there are.
        """
        if not computed:
            return self.send(f"{what} as\n{select}", inner=select)
        columns, stored = [], []
        for column in self.describe(select):
            quoted = self.quote(column.name)
            if column.name in computed:
                expression = computed[column.name]
                columns.append(f"{quoted} {column.type} generated always as ({expression}) virtual")
            else:
                columns.append(f"{quoted} {column.type}{PACKED.get(column.type, '')}")
                stored.append(quoted)
        listed = ", ".join(stored)
        into = f"insert into {self.relation(name)} ({listed})"
        with self.transaction(), fewer_threads(self):
            self.send(f"{what} (\n    " + ",\n    ".join(columns) + "\n)")
            return self.send(f"{into}\nselect {listed} from (\n{select}\n) as rows", inner=select)

    def drop(self, name: str) -> None:
        """Drop a table or view of the target schema, if it exists."""
        relation = self.relation(name)
        kind = self._made.pop(name, None) or self.existing_kind(name)
        if kind is not None:
            self.send(f"drop {kind.removeprefix('temp ')} if exists {relation}")

    def insert(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Append rows of Python values to a table of the target schema."""
        into = f"insert into {self.relation(name)} ({', '.join(map(self.quote, columns))}) values"
        one = f"({', '.join('?' * len(columns))})"
        with self.transaction():
            # Many rows a statement: DuckDB runs a statement for every row of an executemany.
            for start in range(0, len(rows), INSERT_ROWS):
                part = rows[start : start + INSERT_ROWS]
                values = [value for row in part for value in row]
                self.send(f"{into} {', '.join([one] * len(part))}", values)

    def append(self, name: str, select: str) -> int:
        """Append the rows of a SELECT to a table of the target schema; return their number."""
        added = self.send(f"insert into {self.relation(name)}\n{select}", inner=select)
        return int(added.rows[0][0])

    def publish(self, publications: Sequence[Publication], *, first: Sequence[str] = ()) -> None:
        """Make finished relations visible under their names, all in one transaction."""
        from seg_sql.engines._duckdb_publish import publish

        publish(self, publications, first)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the statements of a block in one transaction, undone after any error."""
        self.send("begin transaction")
        try:
            yield
            self.send("commit")
        except BaseException:
            with contextlib.suppress(Exception):
                self._connection.execute("rollback")
            raise

    def checkpoint(self) -> None:
        """Write the log into the file: closing does it otherwise, when nobody is told any more.

        On a connection of somebody else's there may be other transactions, which it waits for.
        """
        if self._settings is not None:
            return
        if self.deletes:
            self.send("checkpoint")
            return
        # Each thread ends a table with rows that fill no row group; to put those together takes as
        # long as to write them, and saves nothing that a reader would notice.
        with set_for_a_while(self, "max_vacuum_tasks", 0):
            self.send("checkpoint")

    def sparingly(self, run: Callable[[], T], *, rows: int, columns: int, made: int = 0) -> T:
        """Run a statement that reads a small table and keep few of its blocks."""
        return sparingly(self, run, rows=rows, columns=columns, made=made)

    def lock(self, wait: float) -> None:
        """Do nothing: whoever has opened the file for writing holds it."""

    def unlock(self) -> None:
        """Do nothing: closing the connection frees the file."""

    def rejected_rows(self) -> int:
        """Return how many lines of the files read so far the reader refused.

        Raises:
            DatabaseError: If a quote is not closed, so that nobody knows how many lines are lost.
        """
        return rejected_rows(self)

    def missing_rights(self) -> list[str]:
        """Return a sentence to send to the administrator for each right that is missing."""
        if self._file is None:
            return []
        return [
            f"The user of this process needs to write to {path}."
            for path in (self._file, self._file.parent)
            if path.exists() and not writable(path)
        ]

    def existing_kind(self, name: str, schema: str | None = None) -> str | None:
        """Return what kind of relation `name` is, in the target schema by default; or None."""
        found = self.send(_KIND, {"schema": schema or self.schema, "name": name}).rows
        return found[0][0] if found else None

    def send(
        self,
        sql: str,
        parameters: Mapping[str, Any] | Sequence[Any] | None = None,
        *,
        inner: str | None = None,
    ) -> Result:
        """Send a statement, take all its rows and the time; every statement goes through here.

        Args:
            sql: What is sent.
            parameters: Values by name, or in order.
            inner: The part of `sql` that was given to us; errors show it and count from it.
        """
        start = time.perf_counter()
        try:
            if parameters is None:
                cursor = self._connection.execute(sql)
            else:
                cursor = self._connection.execute(sql, parameters)
            # Some errors come only now, and an open result blocks the next statement.
            rows = cursor.fetchall()
            columns = tuple(column[0] for column in cursor.description or ())
        except (duckdb.Error, RuntimeError) as error:
            if isinstance(error, duckdb.InterruptException) or str(error) == "Query interrupted":
                # That is how DuckDB tells of Ctrl-C.
                raise KeyboardInterrupt from error
            raise database_error(error, sql, inner) from error
        finally:
            self.seconds += time.perf_counter() - start
        return Result(columns, rows)
