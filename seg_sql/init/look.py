"""A sample together with the column map that was decided for it, as the traps look at it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from seg_sql.init.names import name_score
from seg_sql.init.sample import Profile, Sample, Value

# Words that SQL keeps for itself, among those that columns are called.
_RESERVED = frozenset(
    ("all", "default", "desc", "end", "from", "group", "order", "select", "table", "to", "user")
)


@dataclass(frozen=True)
class Setting:
    """A line of seg_sql.yml, or only a sentence at its place.

    Attributes:
        key: The key under order_lines or vars, or the mapped column that the sentence is about.
        value: What is written; None for a sentence alone.
        why: The sentence.
        active: Whether the line is in force, or a comment for the user to decide on.
    """

    key: str
    value: object = None
    why: str = ""
    active: bool = True


@dataclass(frozen=True)
class Look:
    """A sample and the column map that was decided for it.

    Attributes:
        sample: The sample.
        columns: The raw column of each role.
        quote: Gives a name as a SQL identifier.
        literal: Gives a value as a SQL literal.
    """

    sample: Sample
    columns: Mapping[str, str]
    quote: Callable[[str], str]
    literal: Callable[[object], str]

    def profile(self, role: str) -> Profile | None:
        """Return the column of a role."""
        name = self.columns.get(role)
        return next((p for p in self.sample.columns if p.name == name), None)

    def named(self, role: str) -> list[Profile]:
        """Return the columns that are called like a role, best first, and are not mapped."""
        scored = [(name_score(p.name, role), p) for p in self.sample.columns]
        mapped = self.columns.values()
        free = [(score, p) for score, p in scored if score and p.name not in mapped]
        return [profile for _, profile in sorted(free, key=lambda found: -found[0])]

    def values(self, profile: Profile) -> list[Value]:
        """Return the most frequent values of a column."""
        return self.sample.values(profile.name, self.columns.get("order_id"))

    def identifier(self, name: str) -> str:
        """Return a name as a person would write it in SQL: in quotes only where it must be."""
        plain = re.fullmatch(r"[a-z_][a-z0-9_]*", name) and name not in _RESERVED
        return name if plain else self.quote(name)
