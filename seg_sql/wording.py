"""How messages say a number of things."""

from __future__ import annotations


def counted(number: int, what: str) -> str:
    """Return how many there are, in words.

    >>> counted(1, "model"), counted(2000, "order line")
    ('1 model', '2,000 order lines')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"
