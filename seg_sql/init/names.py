"""The usual names of columns, as sql/init/names.yml lists them, and how well a name fits one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

from seg_sql import resources

ROLES = (
    "customer_id",
    "order_id",
    "ordered_at",
    "item_id",
    "quantity",
    "unit_price",
    "amount",
    "line_id",
)

# Scores: a whole name is above STRONG, the end of a name below it.
STRONG = 25.0
_ENDING = 20.0


def name_score(name: str, role: str, every_name: Sequence[str] = ()) -> float:
    """Return how well a name fits a role: above STRONG for a whole name, 0 for no fit.

    >>> name_score("Customer ID", "customer_id") > name_score("Shop Customer ID", "customer_id") > 0
    True
    >>> name_score("shipping_date", "ordered_at")
    0.0
    """
    known, never = names_of(role)
    # In exports of Shopify, the order's number stands under `Name`.
    if role == "order_id" and fold(name) == "name":
        return 100.0 if any(fold(other).startswith("lineitem") for other in every_name) else 0.0
    if fold(name) in known:
        return 100.0 - known.index(fold(name))
    words = words_of(name)
    while words and words[-1] in names_file()["qualifiers"]:
        words.pop()
    if never.intersection(words):
        return 0.0
    for start in range(len(words)):
        joined = "".join(words[start:])
        if joined in known and (start == 0 or len(joined) > 3):
            place = known.index(joined)
            return 99.0 - place if start == 0 else _ENDING - place / 10
    return 0.0


def is_usual_name(name: str) -> bool:
    """Return whether a column of any kind is usually called so."""
    return any(name_score(name, role) > STRONG for role in (*ROLES, "status", "attribute"))


@cache
def names_file() -> dict[str, Any]:
    """Return the content of sql/init/names.yml."""
    import yaml

    loaded: dict[str, Any] = yaml.safe_load(
        (resources.SQL / "init" / "names.yml").read_text("utf-8")
    )
    return loaded


@cache
def names_of(role: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the usual names of a role, folded and best first, and the words it never has."""
    entry = names_file()[role]
    known = dict.fromkeys(fold(name) for name in entry["names"])
    return tuple(known), frozenset(fold(word) for word in entry["never"])


def fold(name: str) -> str:
    """Return a name without case, accents, blanks and punctuation.

    >>> fold("Customer ID"), fold("customer_id"), fold("Qté")
    ('customerid', 'customerid', 'qte')
    """
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if letter.isalnum())


def words_of(name: str) -> list[str]:
    """Return the words of a name, folded.

    >>> words_of("ShopOrderID (EUR)")
    ['shop', 'order', 'id', 'eur']
    """
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [folded for word in re.split(r"[\W_]+", parted) if (folded := fold(word))]
