"""What can go wrong, said in one sentence, with where and what next.

Each class knows the exit code of the command that it ends: 1 when a model or a test failed,
2 when the run could not start.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class SegSqlError(Exception):
    """A failure with a place and a next step.

    Args:
        message: What is wrong, as one sentence.
        where: The file and line, or the relation, it was found in.
        hint: What to do next.
    """

    exit_code = 1

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n  {self.hint}" if self.hint else text


class ConfigError(SegSqlError):
    """A project, profile or schema file that cannot be used as it is."""

    exit_code = 2


class ParseError(SegSqlError):
    """A template or a SQL text that cannot be rendered, parsed or accepted by the linter."""

    exit_code = 2


class SelectionError(SegSqlError):
    """A selection that matches nothing."""

    exit_code = 2


class StartError(SegSqlError):
    """The target cannot be reached, is locked, or holds a relation that is not ours."""

    exit_code = 2


class DatabaseError(SegSqlError):
    """A statement that the database refused.

    Attributes:
        sql: The statement.
        position: The character in `sql`, from 0, at which the database saw the fault, if it said.
        lost: Whether the connection itself is gone, so that no further statement can run.
    """

    def __init__(
        self,
        message: str,
        *,
        sql: str | None = None,
        position: int | None = None,
        lost: bool = False,
        where: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.sql = sql
        self.position = position
        self.lost = lost


class ModelError(SegSqlError):
    """A model that cannot be computed from this data or these options."""


def sentence(text: str) -> str:
    """Return the first line of a driver's words, ending as a sentence does.

    >>> sentence("No such file")
    'No such file.'
    """
    said = next((line.strip() for line in text.splitlines() if line.strip()), "No reason given")
    return said if said.endswith((".", "!", "?")) else f"{said}."


@contextmanager
def refused_as(
    error: type[SegSqlError], said: str, *, where: str | None = None, hint: str | None = None
) -> Iterator[None]:
    """Raise what the database refuses within as an error of another kind, unless it is gone.

    Args:
        error: The kind.
        said: What cannot be done; the first line of the database's words follows it.
        where: The place of what it was asked for.
        hint: What to do next; by default what the database hints at.

    >>> with refused_as(ConfigError, "shop.sales cannot be read"):
    ...     raise DatabaseError("No such table")
    Traceback (most recent call last):
    seg_sql.errors.ConfigError: shop.sales cannot be read: No such table.
    """
    try:
        yield
    except DatabaseError as refusal:
        if refusal.lost:
            raise
        raise error(
            f"{said}: {sentence(refusal.message)}", where=where, hint=hint or refusal.hint
        ) from refusal


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` is most likely a misspelling of.

    >>> nearest("binz", ["bins", "ties"])
    'bins'
    >>> nearest("zzz", ["bins", "ties"]) is None
    True
    """
    folded = {candidate.lower(): candidate for candidate in known}
    match = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    return folded[match[0]] if match else None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return a hint that names the nearest known name, or lists a few that are known."""
    known = list(known)
    match = nearest(name, known)
    if match:
        return f"Did you mean '{match}'?"
    if not known:
        return None
    listed = ", ".join(sorted(known)[:12])
    return f"Known: {listed}{', ...' if len(known) > 12 else '.'}"
