"""How the rows of a unit test differ from those that it expects."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Sequence
from typing import Any


def row_diff(
    columns: Sequence[str],
    expected: Sequence[tuple[Any, ...]],
    actual: Sequence[tuple[Any, ...]],
    *,
    tolerance: float,
) -> str:
    """Return the rows that differ, '-' expected and '+' actual; nothing when all agree.

    The order of rows does not matter; numbers agree within the relative tolerance.

    >>> print(row_diff(["id", "n"], [(1, 2.0), (2, 3.0)], [(2, 3.0000000001), (1, 4.0)],
    ...                tolerance=1e-6))
      id | n
    - 1  | 2
    + 1  | 4
    """
    left = sorted((tuple(map(_comparable, row)) for row in expected), key=_sort_key)
    right = sorted((tuple(map(_comparable, row)) for row in actual), key=_sort_key)
    unmatched = []
    rest = list(right)
    for row in left:
        found = next((other for other in rest if _agree(row, other, tolerance)), None)
        if found is None:
            unmatched.append(row)
        else:
            rest.remove(found)
    if not unmatched and not rest:
        return ""
    table = [tuple(columns), *[tuple(map(_shown, row)) for row in (*unmatched, *rest)]]
    widths = [max(len(row[i]) for row in table) for i in range(len(columns))]
    signs = [" ", *["-"] * len(unmatched), *["+"] * len(rest)]
    lines = [
        " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in table
    ]
    return "\n".join(f"{sign} {line}".rstrip() for sign, line in zip(signs, lines, strict=True))


def _comparable(value: Any) -> Any:
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) < 2**53 else value
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat(*([" "] if isinstance(value, datetime.datetime) else []))
    return value


def _agree(left: tuple[Any, ...], right: tuple[Any, ...], tolerance: float) -> bool:
    return all(_equal(a, b, tolerance) for a, b in zip(left, right, strict=True))


def _equal(a: Any, b: Any, tolerance: float) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return a == b or abs(a - b) <= tolerance * max(abs(a), abs(b))
    if isinstance(a, str) != isinstance(b, str) and None not in (a, b):
        # A text such as '511' is written as a number in YAML and CSV.
        return _shown(a) == _shown(b)
    return type(a) is type(b) and bool(a == b)


def _sort_key(row: tuple[Any, ...]) -> tuple[tuple[int, str], ...]:
    return tuple((0, "") if v is None else (1, _shown(v)) for v in row)


def _shown(value: Any) -> str:
    if value is None:
        return "NULL"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
