"""Names, values and shares as they stand in a sentence."""

from __future__ import annotations

import re


def shown(text: str) -> str:
    r"""Return a name or value as it stands in a sentence: on one line, and not too long.

    >>> shown("Order Status"), shown("total"), shown("a\nb")
    ("'Order Status'", 'total', "'a\\nb'")
    """
    if len(text) > 60:
        text = f"{text[:57]}..."
    return text if re.fullmatch(r"[\w./:#$€£,+-]+", text) else repr(text)


def percent(part: float, whole: float) -> str:
    """Return a share in words.

    >>> percent(1, 3), percent(1, 1000)
    ('33 %', 'less than 1 %')
    """
    share = part / whole if whole else 0.0
    return "less than 1 %" if share < 0.01 else f"{share:.0%}".replace("%", " %")
