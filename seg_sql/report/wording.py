"""Numbers and lists as a reader wants them."""

from __future__ import annotations

import math
from collections.abc import Sequence

# A number and its unit stay on one line.
NBSP = "\u00a0"


def count(number: float) -> str:
    """Return a whole number with thousands separators.

    >>> count(1234567)
    '1,234,567'
    """
    return f"{number:,.0f}"


def money(amount: float | None) -> str:
    """Return an amount, with cents only where it is small.

    >>> money(1234.5), money(12.345), money(None)
    ('1,234', '12.35', '')
    """
    if amount is None:
        return ""
    return f"{amount:,.0f}" if abs(amount) >= 1000 else f"{amount + 0.0:,.2f}"


def amounts(column: Sequence[float | None]) -> list[str]:
    """Return the amounts of a column, all with cents or none.

    >>> amounts([1234.5, 7.0, None]), amounts([1.5])
    (['1,234', '7', ''], ['1.50'])
    """
    digits = 0 if any(abs(amount or 0) >= 1000 for amount in column) else 2
    return [decimal(amount, digits) for amount in column]


def decimal(number: float | None, digits: int = 2) -> str:
    """Return a number with so many decimals, or nothing for None."""
    return "" if number is None else f"{number:,.{digits}f}"


def percent(share: float | None) -> str:
    """Return a share in percent, whole unless it is small.

    >>> percent(0.144).replace(NBSP, " "), percent(0.004).replace(NBSP, " "), percent(None)
    ('14 %', '0.4 %', '')
    >>> percent(0.0).replace(NBSP, " "), percent(0.00001).replace(NBSP, " ")
    ('0 %', 'under 0.1 %')
    """
    if share is None:
        return ""
    if 0 < abs(share) < 0.0005:
        return f"under 0.1{NBSP}%"
    if 0 < abs(share) < 0.00995:
        return f"{100 * share:.1f}{NBSP}%"
    return f"{100 * share:,.0f}{NBSP}%"


def share(part: float, whole: float) -> float:
    """Return the quotient, or 0 of nothing."""
    return part / whole if whole else 0.0


def listed(words: Sequence[str]) -> str:
    """Return words as a list in a sentence.

    >>> listed(["a", "b", "c"]), listed(["a"])
    ('a, b and c', 'a')
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def plain(name: str) -> str:
    """Return a column or stage as words.

    >>> plain("at_risk")
    'at risk'
    """
    return name.replace("_", " ")


def sentence(text: str) -> str:
    """Return a text that begins with a capital letter.

    >>> sentence("at risk")
    'At risk'
    """
    return text[:1].upper() + text[1:]


def shortened(text: str, length: int) -> str:
    """Return a text that is not longer than so many characters.

    >>> shortened("a long name", 7)
    'a long…'
    """
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def round_step(span: float, steps: int) -> float:
    """Return the round number (1, 2 or 5 times a power of ten) that parts a span best.

    >>> round_step(97, 20), round_step(1000, 20), round_step(0, 20)
    (5.0, 50.0, 1.0)
    """
    if span <= 0 or not math.isfinite(span):
        return 1.0
    power = 10.0 ** math.floor(math.log10(span / steps))
    return next(power * step for step in (1, 2, 5, 10) if power * step * steps >= span * 0.999)
