"""Rows written as CSV, in a seed or a unit test, and what kind of values they hold."""

from __future__ import annotations

import csv
import datetime
import io
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from seg_sql.errors import ConfigError

# As SQL writes numbers: no leading zero (007 is a code), no blanks, no underscores.
_INTEGER = re.compile(r"-?(0|[1-9]\d*)")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?|-?\.\d+")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?")
_WORDS = {"true": True, "false": False}


def read_csv(
    text: str, where: str, declared: Mapping[str, str] | None = None
) -> tuple[list[str], list[dict[str, Any]]]:
    r"""Read CSV; return the names and the rows. An empty field is NULL.

    A column holds numbers, dates, timestamps or true and false when every value of it does, and
    text otherwise; a column that is declared as text stays as it is written.

    >>> read_csv("id,zip,at\n1,007,2026-01-31\n2,12,\n", "places.csv")[1]
    [{'id': 1, 'zip': '007', 'at': datetime.date(2026, 1, 31)}, {'id': 2, 'zip': '12', 'at': None}]

    Raises:
        ConfigError: There is no header, a name is missing or given twice, or a row has more or
            fewer fields than the header.
    """
    reader = csv.reader(io.StringIO(text.strip()), skipinitialspace=True, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header, where)
        rows = []
        for row in reader:
            if len(row) != len(header) and row:
                raise ConfigError(
                    f"The row has {len(row)} fields, the header {len(header)}.",
                    where=f"{where}:{reader.line_num}",
                    hint="Put a field that holds a comma in double quotes.",
                )
            if row:
                rows.append([value.strip() or None for value in row])
    except csv.Error as error:
        raise ConfigError(f"Not CSV: {error}.", where=f"{where}:{reader.line_num}") from error
    columns = []
    for place, name in enumerate(header):
        values = [row[place] for row in rows]
        columns.append(values if (declared or {}).get(name) == "text" else _typed(values))
    return header, [dict(zip(header, row, strict=True)) for row in zip(*columns, strict=True)]


def _check_header(header: Sequence[str], where: str) -> None:
    if not header:
        raise ConfigError("The CSV is empty: it needs a header line.", where=where)
    for name in header:
        if not name:
            raise ConfigError("A column of the header has no name.", where=f"{where}:1")
        if sum(other.lower() == name.lower() for other in header) > 1:
            raise ConfigError(f"The column '{name}' is there twice.", where=f"{where}:1")


def _typed(values: Sequence[str | None]) -> Sequence[Any]:
    """Return the values of a column as the first kind that all of them can be read as."""
    for read in (_integer, _number, _boolean, _date, _timestamp):
        try:
            return [None if value is None else read(value) for value in values]
        except ValueError:
            continue
    return values


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise ValueError(text)
    return float(text)


def _boolean(text: str) -> bool:
    if text.lower() not in _WORDS:
        raise ValueError(text)
    return _WORDS[text.lower()]


def _date(text: str) -> datetime.date:
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return datetime.date.fromisoformat(text)


def _timestamp(text: str) -> datetime.datetime:
    if not _TIMESTAMP.fullmatch(text):
        raise ValueError(text)
    return datetime.datetime.fromisoformat(text)


def kind_of(rows: Sequence[Mapping[str, Any]], column: str) -> str:
    """Return what kind of values a column of given rows has.

    >>> kind_of([{"n": 1}, {"n": None}], "n"), kind_of([{"n": 1}, {"n": "x"}], "n")
    ('number', 'text')
    """
    values = [row.get(column) for row in rows if row.get(column) is not None]
    if values and all(isinstance(value, bool) for value in values):
        return "boolean"
    if values and all(
        isinstance(value, (int, float)) and not isinstance(value, bool) for value in values
    ):
        return "number"
    if values and all(isinstance(value, datetime.datetime) for value in values):
        return "timestamp"
    if values and all(isinstance(value, datetime.date) for value in values):
        return "date"
    return "text"
