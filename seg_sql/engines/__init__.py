"""What a database must be able to do for seg-sql, and nothing about models.

An engine holds one connection to one target: a database and the schema that seg-sql writes to.
Differences in how an expression is written live in macros/; differences in how a database
behaves (names, transactions, publishing, locks, catalogs, errors) live in this package.
Only its modules import a database driver.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

if TYPE_CHECKING:
    from pandas import DataFrame

    from seg_sql.profiles import Target

RelationKind = Literal["table", "view"]
ColumnKind = Literal["number", "text", "date", "timestamp", "boolean", "other"]
FileFormat = Literal["parquet", "csv"]

T = TypeVar("T")

WORK_PREFIX = "seg_tmp_"
MARK = "seg-sql"
LONGEST_NAME = 63
"""Bytes of a name that PostgreSQL keeps; on every engine, so that tables are called the same."""


@dataclass(frozen=True)
class Column:
    """A column as the database describes it: its own type text, and the kind it belongs to."""

    name: str
    type: str
    kind: ColumnKind


@dataclass(frozen=True)
class Existing:
    """A relation of the target schema, with the comment that may carry our mark."""

    name: str
    kind: str
    comment: str | None


@dataclass(frozen=True)
class Result:
    """The rows of a query, all of them fetched."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def dicts(self) -> list[dict[str, Any]]:
        """Return each row as a dict by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Publication:
    """A finished relation and how it is to be made visible.

    Attributes:
        name: The name that readers use, in the target schema.
        kind: Whether readers get a table or a view.
        hidden: The work relation that holds the finished result (in the target schema).
        select: The SELECT of a view; unused for a table.
        comment: The relation's description, ending with the ownership mark.
        column_comments: Description by column.
        indexes: One column list for each index wanted on a table.
        grants: Roles by privilege, as in `{"select": ["reporting"]}`.
        key: Set for an incremental table: rows of `hidden` replace those of `name` with an equal
            key, the others stay.
    """

    name: str
    kind: RelationKind
    hidden: str
    select: str = ""
    comment: str = ""
    column_comments: Mapping[str, str] = field(default_factory=dict)
    indexes: Sequence[Sequence[str]] = ()
    grants: Mapping[str, Sequence[str]] = field(default_factory=dict)
    key: Sequence[str] = ()


class Engine(Protocol):
    """One connection to one target.

    Every method raises `DatabaseError` with the driver's words when the database refuses, and
    `DatabaseError(lost=True)` when the connection is gone.
    """

    dialect: str
    schema: str
    reads_files: bool
    work_lasts: bool
    """Whether the tables of work outlive the connection that made them."""
    version: str
    seconds: float
    """Time spent waiting for the database since the engine was opened."""

    def close(self, *, keep: bool = True) -> None:
        """End the connection; work that was not committed is undone.

        `keep` matters where a build works in a copy of the database (a DuckDB target with
        `copy_on_build`): whether the copy replaces the original or is thrown away.
        """

    def quote(self, name: str) -> str:
        """Return `name` as an identifier that means exactly that name."""

    def literal(self, value: object) -> str:
        """Return a Python value (None, bool, int, float, str, date, datetime) as a SQL literal."""

    def relation(self, name: str, schema: str | None = None) -> str:
        """Return the quoted, qualified name of a relation, in the target schema by default."""

    def execute(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run one statement and drop its result."""

    def fetch(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result:
        """Run one query and return all its rows."""

    def describe(self, query: str) -> list[Column]:
        """Return the columns that a SELECT yields, without running it."""

    def frame(self, query: str) -> DataFrame:
        """Run one query and return its rows as a pandas frame; dates are datetime64."""

    def export(self, query: str, file: Path, file_format: FileFormat) -> int:
        """Write the rows of a query to a file of this machine, typed; return their number."""

    def existing(self) -> dict[str, Existing]:
        """Return the relations of the target schema by name, work relations included."""

    def existing_kind(self, name: str, schema: str | None = None) -> str | None:
        """Return what kind of relation `name` is, in the target schema by default; or None."""

    def prepare_schema(self) -> None:
        """Create the target schema where it is missing."""

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
        """Create a relation of the target schema from a SELECT and return its number of rows.

        A view has no number of rows: None. `work` says that the table is never published, so that
        it may be cheaper (unlogged or temporary). A table is analysed, unless it is only ever
        scanned. `computed` has columns of the SELECT as expressions of its others: an engine may
        compute them when they are read, and not store them.
        """

    def drop(self, name: str) -> None:
        """Drop a table or view of the target schema, if it exists; never what depends on it."""

    def insert(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Append rows of Python values to a table of the target schema."""

    def append(self, name: str, select: str) -> int:
        """Append the rows of a SELECT to a table of the target schema; return their number."""

    def publish(self, publications: Sequence[Publication], *, first: Sequence[str] = ()) -> None:
        """Make finished relations visible under their names, all in one transaction.

        It begins with the statements of `first`, before any reader is kept waiting.

        Readers see the old or the new rows at every moment; dependent views, grants, comments,
        owner and indexes are kept. On any error nothing has changed.
        """

    def transaction(self) -> AbstractContextManager[None]:
        """Run the statements of a block in one transaction, undone after any error."""

    def checkpoint(self) -> None:
        """Bring what was committed to where it stays, before the end rather than on closing."""

    def sparingly(self, run: Callable[[], T], *, rows: int, columns: int, made: int = 0) -> T:
        """Run a statement that reads a table, keeping little of what was read in this process.

        Args:
            run: Sends the statement; once more, where it needs more memory than was left to it.
            rows: How many rows it reads, of numbers mostly.
            columns: How many columns of them.
            made: The bytes of what it makes and holds in memory.
        """

    def lock(self, wait: float) -> None:
        """Take the target's build lock, or raise StartError that says who holds it."""

    def unlock(self) -> None:
        """Give the build lock back."""

    def rejected_rows(self) -> int:
        """Return how many rows of the files read so far the reader refused."""

    def missing_rights(self) -> list[str]:
        """Return a sentence to send to the administrator for each right that is missing."""


def open_engine(
    target: Target, *, timezone: str = "UTC", read_only: bool = False, wait: float = 0.0
) -> Engine:
    """Connect to a target by its type.

    `wait` is how many seconds to wait for another process that holds a DuckDB file.
    """
    if target.type == "postgres":
        from seg_sql.engines.postgres import PostgresEngine

        return PostgresEngine(target, timezone=timezone, read_only=read_only, wait=wait)
    from seg_sql.engines.duckdb import DuckDBEngine

    return DuckDBEngine(target, timezone=timezone, read_only=read_only, wait=wait)


def engine_on(connection: Any, *, schema: str, timezone: str = "UTC") -> Engine:
    """Work on a connection that somebody else has opened.

    Closing the engine gives it back open and with the settings that it had.

    Raises:
        StartError: It is in a transaction, or no connection of DuckDB or psycopg.
    """
    from seg_sql.errors import StartError

    kinds = {f"{kind.__module__}.{kind.__name__}" for kind in type(connection).__mro__}
    if "psycopg.Connection" in kinds:
        from seg_sql.engines.postgres import PostgresEngine
        from seg_sql.profiles import PostgresTarget

        info = connection.info
        place = {"host": info.host, "port": info.port, "user": info.user, "dbname": info.dbname}
        target = PostgresTarget.model_validate({**place, "schema": schema})
        return PostgresEngine(target, timezone=timezone, connection=connection)
    if any(kind.endswith(".DuckDBPyConnection") for kind in kinds):
        from seg_sql.engines.duckdb import DuckDBEngine
        from seg_sql.profiles import DuckDBTarget

        given = DuckDBTarget.model_validate({"schema": schema})
        return DuckDBEngine(given, timezone=timezone, connection=connection)
    raise StartError(
        f"seg-sql works on a connection of duckdb or psycopg, not on"
        f" {type(connection).__module__}.{type(connection).__name__}.",
        hint="Give duckdb.connect() or psycopg.connect(), or a pandas, polars or Arrow table.",
    )


def holding(name: str, table: Any) -> Any:
    """Return a connection to a DuckDB in memory that has a pandas, polars or Arrow table.

    Raises:
        StartError: DuckDB cannot read it.
    """
    import duckdb

    from seg_sql.errors import StartError

    connection = duckdb.connect(":memory:")
    try:
        connection.register(name, table)
    except duckdb.Error as error:
        connection.close()
        raise StartError(
            f"A {type(table).__module__}.{type(table).__name__} is no table that DuckDB can read.",
            hint="Give a connection of duckdb or psycopg, or a pandas, polars or Arrow table.",
        ) from error
    return connection
