"""How values, lines and tables are laid out on a terminal."""

from __future__ import annotations

import decimal
import math
import re
import textwrap
from collections.abc import Sequence
from typing import Any

# Widths that a name, such as that of a cluster, is cut to, and from which a text is a sentence.
NAME, SENTENCE = 24, 40


def cut(names: Sequence[str], widths: Sequence[int], room: int) -> list[int]:
    """Return how wide columns are shown: where not all fit, names are cut, but no ids.

    >>> cut(["item_id", "label", "text"], [36, 30, 60], 80), cut(["label"], [30], 80)
    ([36, 24, 60], [30])
    """
    if sum(widths) + 2 * len(widths) <= room:
        return list(widths)
    return [
        min(width, NAME) if width <= SENTENCE and not name.endswith("_id") else width
        for name, width in zip(names, widths, strict=True)
    ]


def fitting(widths: Sequence[int], room: int) -> list[int]:
    """Return the columns that fit: long texts go first, then columns from the right.

    >>> fitting([10, 60, 8, 8], 40), fitting([10, 12, 12], 30)
    ([0, 2, 3], [0, 1])
    """
    kept = list(range(len(widths)))

    def needed() -> int:
        return sum(widths[index] + 2 for index in kept)

    while len(kept) > 1 and needed() > room:
        widest = max(kept[1:], key=lambda index: widths[index])
        kept.remove(widest if widths[widest] > NAME else kept[-1])
    return kept


def is_number(value: Any) -> bool:
    """Return whether a value stands at the right of its column."""
    return isinstance(value, (int, float, decimal.Decimal)) and not isinstance(value, bool)


def shown(value: Any, *, is_count: bool = False) -> str:
    """Return a value as a person reads it; an integer may be an id, unless it is said to count.

    >>> shown(1234.5), shown(None), shown(0.041666), shown(12348), shown(12348, is_count=True)
    ('1,234.50', '', '0.0417', '12348', '12,348')
    >>> shown(1e15), shown(float("inf"))
    ('1,000,000,000,000,000', 'inf')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (float, decimal.Decimal)):
        number = float(value)
        if number and abs(number) < 1:
            return f"{number:.4f}"
        return f"{number:,.0f}" if 1e15 <= abs(number) < math.inf else f"{number:,.2f}"
    return f"{value:,}" if is_count and isinstance(value, int) else str(value)


# What a line does not break within: code to copy, and short remarks.
_WHOLE = re.compile(r"`[^`\n]{1,60}`|\([^()\n]{1,30}\)|\[[^\[\]\n]{1,30}\]")


def parts_of(text: str, width: int, *, first: str = "", later: str = "") -> list[str]:
    """Return a text in lines of at most `width`, broken between words and not within brackets.

    >>> parts_of("it is 5 % (of the 20 lines): write `drop: true`", 24)
    ['it is 5 %', '(of the 20 lines): write', '`drop: true`']
    """
    whole = _WHOLE.sub(lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), text)
    parts = textwrap.wrap(
        whole,
        width,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [part.replace("\N{NO-BREAK SPACE}", " ") for part in parts]


def wrapped(line: str, width: int) -> str:
    """Return a line in lines of at most `width`, the later ones indented further than the first.

    >>> print(wrapped("  cluster 2: high monetary", 20))
      cluster 2: high
          monetary
    """
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    return "\n".join(parts_of(line, width, later=indent))
