"""What both engines write the same way: names, literals, and errors without secrets."""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from decimal import Decimal
from numbers import Integral, Real

from seg_sql.errors import ConfigError

# `password=...` of a connection string, quoted or bare, and `user:...@` of a URL.
_SECRET = re.compile(
    r"(?i)(?P<before>\b(?:password|passwd|pwd)\s*=\s*)"
    r"(?P<secret>'(?:[^'\\]|\\.)*'|[^\s'\";&]+)(?P<after>)"
)
_URL_SECRET = re.compile(r"(?P<before>://[^\s:/@]*:)(?P<secret>[^\s/]*)(?P<after>@)")


def quoted(name: str) -> str:
    """Return `name` as an identifier in double quotes.

    >>> quoted('a"b')
    '"a""b"'
    """
    checked(name)
    if not name:
        raise ConfigError("A name cannot be empty.")
    return '"' + name.replace('"', '""') + '"'


def checked(text: str) -> str:
    """Return `text` if a database can hold it: no NUL character, no half of a surrogate pair."""
    if "\0" in text:
        raise ConfigError(f"A NUL character cannot be sent to a database: {text!r}.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"Not valid Unicode: {text!r}.") from None
    return text


def literal(value: object) -> str | None:
    """Return a literal that means the same in every engine; None for a float.

    Negative numbers stand in parentheses, so that no minus sign before them makes a comment.

    >>> literal("it's"), literal(-2), literal(None)
    ("'it''s'", '(-2)', 'null')
    """
    if value is None:
        return "null"
    if isinstance(value, float):
        # By far the most of them: to ask for the abstract classes below takes longer.
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + checked(value).replace("'", "''") + "'"
    if isinstance(value, datetime):
        name = "timestamp" if value.tzinfo is None else "timestamptz"
        return f"{name} '{value.isoformat(sep=' ')}'"
    if isinstance(value, date):
        return f"date '{value.isoformat()}'"
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} cannot be written as a SQL literal.")
        return _signed(format(value, "f"))
    if isinstance(value, Integral):
        return _signed(str(int(value)))
    if isinstance(value, Real):
        return None
    raise TypeError(f"{type(value).__name__} cannot be written as a SQL literal.")


def float_text(value: object) -> str:
    """Return the shortest text that reads back as the same double.

    >>> float_text(0.1), float_text(1e300)
    ('0.1', '1e+300')
    """
    number = float(value)  # type: ignore[arg-type]
    if not math.isfinite(number):
        raise ValueError(f"{number} cannot be written as a SQL literal.")
    return repr(number)


def hide_secrets(text: str, source: str | None = None) -> str:
    """Return `text` without the passwords of connection strings in it, or in its `source`.

    >>> hide_secrets("at postgresql://me:pw@host/db and host=h password='p w'")
    'at postgresql://me:***@host/db and host=h password=***'
    >>> hide_secrets("no file postgresql:/me:pw@host", "postgresql://me:pw@host")
    'no file postgresql:/me:***@host'
    """
    for pattern in (_SECRET, _URL_SECRET):
        for found in pattern.finditer(source or ""):
            text = text.replace(found["secret"], "***")
        text = pattern.sub(r"\g<before>***\g<after>", text)
    return text


def _signed(text: str) -> str:
    return f"({text})" if text.startswith("-") else text
