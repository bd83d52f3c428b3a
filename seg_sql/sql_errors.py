"""Where an error of the database lies: the line of the template, and the SQL around it."""

from __future__ import annotations

from seg_sql.errors import DatabaseError
from seg_sql.project import Model
from seg_sql.render import template_line


def sql_error_place(model: Model, sql: str, position: int | None) -> str | None:
    """Return `file:line` of the template for a character of its compiled SQL."""
    if position is None:
        return None
    line = sql.count("\n", 0, position) + 1
    return f"{model.shown}:{template_line(model.text, sql, line)}"


def lines_around(error: DatabaseError, sql: str) -> list[str]:
    """Return the three lines of `sql` around an error, with a caret, where the place is known.

    Args:
        error: What the database said of a statement that holds `sql`.
        sql: The text that a person sees.
    """
    if error.sql is None or error.position is None:
        return []
    position = error.position - max(error.sql.find(sql), 0)
    if not 0 <= position <= len(sql):
        return []
    text = sql.splitlines()
    number = sql.count("\n", 0, position)
    column = position - (sql.rfind("\n", 0, position) + 1)
    shown = []
    for index in range(max(number - 1, 0), min(number + 2, len(text))):
        shown.append(f"{index + 1:>5} | {text[index]}")
        if index == number:
            shown.append(" " * 5 + " | " + " " * column + "^")
    return shown
