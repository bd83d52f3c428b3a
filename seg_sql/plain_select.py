"""SELECTs that name columns of one relation and do nothing else, known without a parser.

Many models that an algorithm fits are such, and to import the parser takes a tenth of a second.
"""

from __future__ import annotations

import re

from seg_sql.lint_words import RESERVED

_WORD = r"(?!(?:select|from|as)\b)[a-z_][a-z0-9_]{0,62}"
# What is between the quotes: ASCII, and no quote.
_QUOTED = r"[ !#-~]{1,63}"
_NAME = rf'(?:{_WORD}\b|"{_QUOTED}")'
_DOTTED = rf"{_NAME}(?:\.{_NAME}){{0,2}}"
_ITEM = rf"{_DOTTED}(?:\s+as\s+{_NAME})?"
_SELECT = rf"select\s+{_ITEM}(?:\s*,\s*{_ITEM})*\s+from\s+({_DOTTED})(?:\s+as\s+{_NAME})?"
_WHOLE = re.compile(rf"\s*{_SELECT}\s*")
_INNER = re.compile(rf"\(\s*{_SELECT}\s*\)")
_PART = re.compile(rf'"({_QUOTED})"|({_WORD})')


def source_of(sql: str) -> tuple[str, ...] | None:
    """Return the parts of the name of the relation; None of a SELECT that does more, or may do so.

    >>> source_of('select a, b as c from (select "A" as a, b from "raw"."sales" as rows)')
    ('raw', 'sales')
    >>> source_of("select a + 1 as b from sales"), source_of("select user from sales")
    (None, None)
    """
    if any(word in RESERVED for _, word in _PART.findall(sql)):
        return None
    while (match := _WHOLE.fullmatch(sql)) is None:
        sql, found = _INNER.subn(r"\1", sql)
        if not found:
            return None
    return tuple(quoted or word for quoted, word in _PART.findall(match[1]))
