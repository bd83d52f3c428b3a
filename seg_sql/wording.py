"""How messages say a number of things."""

from __future__ import annotations

from collections.abc import Mapping


def counted(number: int, what: str) -> str:
    """Return how many there are, in words.

    >>> counted(1, "model"), counted(2000, "order line")
    ('1 model', '2,000 order lines')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def inventory(counts: Mapping[str, int]) -> str:
    """Return how many there are of each, without what there is none of.

    >>> inventory({"models": 22, "seeds": 1, "unit tests": 0})
    '22 models, 1 seed'
    """
    return ", ".join(
        counted(number, what.removesuffix("s")) for what, number in counts.items() if number
    )
