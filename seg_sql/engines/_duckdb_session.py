"""A session of DuckDB: what it is set to, and what a borrowed connection gets back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import duckdb

from seg_sql.engines import T, _shared
from seg_sql.errors import ConfigError, DatabaseError, StartError, sentence

if TYPE_CHECKING:
    from seg_sql.engines.duckdb import DuckDBEngine
    from seg_sql.profiles import Attachment, DuckDBTarget

_FEWEST_THREADS = 4
# Bytes of a table that are worth a word, and are read again in some hundredths of a second.
_SPARED = range(10_000_000, 100_000_000)
# Bytes of a block, of which each thread reads one or two of each column at a time ..
_BLOCK = 262_144
# .. and of what a statement needs beside them.
_WORKING = 16_000_000


def borrowed(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Return the settings of a connection that is not ours, which must be at rest."""
    try:
        connection.execute("begin transaction")
        connection.execute("rollback")
    except duckdb.TransactionException as error:
        raise StartError(
            "The connection is in a transaction.", hint="Commit it or roll it back first."
        ) from error
    except duckdb.Error as error:
        words = sentence(str(error))
        raise StartError(f"The connection cannot be used: {words}") from error
    found = {}
    for name in ("TimeZone", "errors_as_json"):
        with contextlib.suppress(duckdb.Error):
            row = connection.execute("select current_setting(?)", [name]).fetchone()
            found[name] = row[0] if row else None
    return found


def set_up(engine: DuckDBEngine, target: DuckDBTarget, timezone: str, *, ours: bool) -> None:
    """Set a session up: time zone, threads, extensions, settings and attached databases.

    Args:
        engine: The open connection.
        target: What the profile says.
        timezone: Name of the session's time zone.
        ours: Whether we opened the connection; somebody else's keeps its threads.
    """
    # Only a JSON error says where in the statement the fault is; the text cuts long lines.
    with contextlib.suppress(DatabaseError):
        engine.send("set errors_as_json = true")
    _set_timezone(engine, timezone)
    if target.threads:
        _set(engine, "threads", target.threads)
    elif ours:
        _use_threads(engine)
    if ours:
        # It takes longer to plan a sum over a join, as fits need dozens of, than to run it.
        engine.while_open.enter_context(
            set_for_a_while(engine, "disabled_optimizers", "partial_aggregate_pushdown")
        )
    # Before DuckDB 2 a reset of the limit is told, and not done.
    resets = not engine.version.startswith("1.")
    is_free = target.path != ":memory:" and "memory_limit" not in target.settings
    engine.spares = ours and resets and is_free
    for extension in target.extensions:
        _load(engine, extension)
    for name, value in target.settings.items():
        _set(engine, name, value)
    for attachment in target.attach:
        _attach(engine, attachment)


@contextlib.contextmanager
def set_for_a_while(engine: DuckDBEngine, name: str, value: object) -> Iterator[None]:
    """Change a setting of the database for some statements, where this DuckDB knows it.

    It is one for all of a process who have the same file open.
    """
    former = None
    with contextlib.suppress(DatabaseError):
        [[former]] = engine.send("select current_setting($name)", {"name": name}).rows
        engine.send(f"set {name} = {engine.literal(value)}")
    try:
        yield
    finally:
        if former is not None:
            with contextlib.suppress(DatabaseError):
                engine.send(f"set {name} = {engine.literal(former)}")


def _use_threads(engine: DuckDBEngine) -> None:
    """Use more threads than a small machine has cores, where nobody said how many.

    With one or two DuckDB grows one large hash table for each GROUP BY, which misses every
    cache; with more it fills small ones and merges them, in little over half the time.
    """
    [[threads]] = engine.send("select current_setting('threads')").rows
    if int(threads) < _FEWEST_THREADS:
        engine.while_open.enter_context(set_for_a_while(engine, "threads", _FEWEST_THREADS))
        engine.cores = int(threads)


def fewer_threads(engine: DuckDBEngine) -> contextlib.AbstractContextManager[None]:
    """Write with as many threads as there are cores: each holds the rows of a row group."""
    if engine.cores is None:
        return contextlib.nullcontext()
    return set_for_a_while(engine, "threads", engine.cores)


def sparingly(
    engine: DuckDBEngine, run: Callable[[], T], *, rows: int, columns: int, made: int
) -> T:
    """Run a statement that reads a table, with room for few of its blocks, unless they are many.

    DuckDB keeps the blocks that it has read until its memory is full; to read them again from the
    cache of the file takes a hundredth of a second. Rows are written as they come: to keep their
    order DuckDB holds so many that there is no room for a second thread.
    """
    if not engine.spares or rows * columns * 8 not in _SPARED:
        return run()
    [[threads]] = engine.send("select current_setting('threads')").rows
    room = 2 * _BLOCK * columns * int(threads) + _WORKING
    try:
        with (
            _limited(engine, _held(engine) + made + room),
            set_for_a_while(engine, "preserve_insertion_order", False),
        ):
            answer = run()
            if made:
                # What comes next reads what was made.
                with contextlib.suppress(DatabaseError):
                    engine.send(f"set memory_limit = '{_held(engine)}B'")
            return answer
    except DatabaseError as error:
        if not isinstance(error.__cause__, duckdb.OutOfMemoryException):
            raise
    return run()


@contextlib.contextmanager
def _limited(engine: DuckDBEngine, limit: int) -> Iterator[None]:
    """Limit the memory for some statements; what it was before DuckDB tells in rounded GiB only."""
    ask = "select current_setting('memory_limit')"
    [[former]] = engine.send(ask).rows
    try:
        with contextlib.suppress(DatabaseError):
            engine.send(f"set memory_limit = '{limit}B'")
        yield
    finally:
        with contextlib.suppress(DatabaseError):
            engine.send("reset memory_limit")
            if engine.send(ask).rows != [(former,)]:
                engine.send(f"set memory_limit = {engine.literal(former)}")


def _held(engine: DuckDBEngine) -> int:
    """Return the bytes that DuckDB uses beside the blocks of tables in files."""
    used = dict(engine.send("select tag, memory_usage_bytes from duckdb_memory()").rows)
    return sum(used.values()) - int(used.get("BASE_TABLE", 0))


def _set_timezone(engine: DuckDBEngine, timezone: str) -> None:
    try:
        engine.send(f"set TimeZone = {engine.literal(timezone)}")
    except DatabaseError as error:
        if "unknown timezone" in error.message.lower():
            raise ConfigError(
                f"DuckDB knows no time zone '{timezone}'.",
                hint="Use a name such as Europe/London or UTC.",
            ) from error
        # Without the icu extension there are no time zones, and every session is in UTC.
        if timezone.upper() not in ("UTC", "ETC/UTC"):
            raise StartError(
                f"This DuckDB cannot use the time zone '{timezone}': {sentence(error.message)}",
                hint="Time zones need its icu extension: run INSTALL icu in DuckDB once.",
            ) from error


def _set(engine: DuckDBEngine, name: str, value: object) -> None:
    try:
        engine.send(f"set {engine.quote(name)} = {engine.literal(value)}")
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"The setting '{name}' takes text, a number or a boolean, not {value!r}."
        ) from error
    except DatabaseError as error:
        raise ConfigError(
            f"DuckDB refuses the setting '{name}': {sentence(error.message)}",
            hint=error.hint,
        ) from None


def _load(engine: DuckDBEngine, extension: str) -> None:
    name = engine.literal(extension)
    try:
        engine.send(f"load {name}")
    except DatabaseError:
        try:
            engine.send(f"install {name}")
            engine.send(f"load {name}")
        except DatabaseError as error:
            raise StartError(
                f"The DuckDB extension '{extension}' cannot be loaded: {sentence(error.message)}"
            ) from error


def _attach(engine: DuckDBEngine, attachment: Attachment) -> None:
    options = ["read_only"] if attachment.read_only else []
    if attachment.type:
        options.append(f"type {engine.quote(attachment.type)}")
    written = f" ({', '.join(options)})" if options else ""
    try:
        engine.send(
            f"attach {engine.literal(attachment.path)} as {engine.quote(attachment.alias)}{written}"
        )
    except DatabaseError as error:
        words = _shared.hide_secrets(sentence(error.message), attachment.path)
        # No cause: the statement may carry a password.
        raise StartError(f"The database '{attachment.alias}' cannot be attached: {words}") from None
