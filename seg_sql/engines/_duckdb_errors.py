"""DuckDB's errors as ours: its own words, the place of the fault, and what to do."""

from __future__ import annotations

import contextlib
import json
import re

import duckdb

from seg_sql.engines import _shared
from seg_sql.errors import DatabaseError, sentence

_FULL = re.compile(r"no space left on device|max_temp_directory_size", re.IGNORECASE)


def words(error: Exception) -> tuple[str, int | None]:
    """Return DuckDB's own words, and the place of the fault as it counts."""
    text = str(error)
    prefix, found, rest = text.partition(": {")
    if found:
        with contextlib.suppress(ValueError):
            said = json.loads("{" + rest)
            position = said.get("position")
            message = f"{prefix}: {said['exception_message']}"
            return message.strip(), None if position is None else int(position)
    return text.strip(), None


def database_error(error: Exception, sql: str, inner: str | None) -> DatabaseError:
    """Return an error of the driver as one of ours.

    Args:
        error: What the driver raised.
        sql: The statement as it was sent.
        inner: The part of it that was given to us, which is shown and counted from.
    """
    message, position = words(error)
    hint: str | None = None
    if "'pytz'" in message:
        message = "DuckDB needs the Python package pytz to return a timestamp with time zone."
        hint = "pip install pytz"
    elif _FULL.search(message):
        message = f"The disk is full: {sentence(message)}"
        hint = "Free space where the database file and DuckDB's temp_directory are."
    elif isinstance(error, duckdb.OutOfMemoryException):
        message = f"DuckDB ran out of memory: {sentence(message)}"
        hint = "Raise memory_limit under the target's settings, or lower its threads."
    shown = sql if inner is None else inner
    if position is not None:
        position = _character(sql, position, error) - (sql.find(shown) if inner else 0)
        if not 0 <= position <= len(shown):
            position = None
    lost = isinstance(error, duckdb.FatalException | duckdb.ConnectionException)
    return DatabaseError(
        _shared.hide_secrets(message),
        sql=shown,
        position=position,
        lost=lost,
        hint=hint,
    )


def _character(sql: str, position: int, error: Exception) -> int:
    """Return the character at a place that DuckDB gave in bytes."""
    if isinstance(error, duckdb.ParserException) and duckdb.__version__.startswith("1."):
        return position  # the parser of DuckDB 1 counted characters
    return len(sql.encode()[:position].decode(errors="ignore"))
