"""What a bounded sample of raw order lines shows: each fact is one query of sql/init/.

Nothing is computed on rows here: the database returns counts, the shapes of values (03/04/2026
is 99/99/9999) and the most frequent values.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from seg_sql import resources
from seg_sql.engines import Column, ColumnKind, Engine

if TYPE_CHECKING:
    from jinja2 import Environment

# Arrays, documents and binaries are neither ids nor measures, and their texts may be long.
_OPAQUE = re.compile(r".*\]|(struct|map|union|list|json|blob|bytea|xml|tsvector).*", re.I | re.S)

# Rows to look at; fewer of a table with very many columns, so that it takes no longer.
ROWS = 50_000
_CELLS = 1_000_000

_TIME = r"[ T]9{1,2}:99(:99(\.9{1,9})?)?"
_OFFSET = r" ?(Z|UTC|[+-]99(:?99)?)"
_YEAR_FIRST = r"9{4}(?P<sign>[-/])9{1,2}(?P=sign)9{1,2}"
_YEAR_LAST = r"9{1,2}(?P<sign>[-/.])9{1,2}(?P=sign)9{4}"

# How a date may be written, as shapes. The build reads the first three.
READABLE_DATES = ("year first", "year last", "eight digits")
_DATES = {
    "year first": re.compile(f"{_YEAR_FIRST}({_TIME}({_OFFSET})?)?"),
    "year last": re.compile(f"{_YEAR_LAST}({_TIME}({_OFFSET})?)?"),
    "eight digits": re.compile("9{8}"),
    # 20000 is in 1954, 60000 in 2064.
    "days since 1900": re.compile(r"9{5}(\.9+)?"),
    "seconds since 1970": re.compile(r"9{10}(\.9+)?"),
    "milliseconds since 1970": re.compile("9{13}"),
    "microseconds since 1970": re.compile("9{16}"),
    "a clock of twelve hours": re.compile(
        r"9{1,4}[-/.]9{1,2}[-/.]9{1,4},?[ T]9{1,2}:99(:99)?(\.9+)? ?[AaPp]\.?[Mm]\.?"
    ),
    "years of two digits": re.compile(r"9{1,2}(?P<sign>[-/.])9{1,2}(?P=sign)99([ ,T].*)?"),
    "names of months": re.compile(
        r"([^\W\d_]+\.?,? )?(9{1,2}\.?[ -][^\W\d_]{3,9}\.?[ -]9{2,4}"
        r"|[^\W\d_]{3,9}\.? 9{1,2},? 9{4})([ ,T].*)?"
    ),
    "another form": re.compile(
        r"(9{4}(?P<sign>[-/.])9{1,2}(?P=sign)9{1,2}|9{1,2}(?P<mark>[-/.])9{1,2}(?P=mark)9{4})(\D.*)?"
    ),
}
_ZONED = re.compile(f".*9:99(:99(\\.9+)?)?{_OFFSET}")
# The bounds of what can be a date of this century or the last, as texts of equal length.
_RANGES = {
    "eight digits": ("19", "2100"),
    "days since 1900": ("2", "6"),
    "seconds since 1970": ("1", "3"),
    "milliseconds since 1970": ("1", "3"),
    "microseconds since 1970": ("1", "3"),
}

_NUMBERS = {
    "integer": re.compile(r"[+-]?9+"),
    "point": re.compile(
        r"[+-]?(9+(\.9*)?|\.9+)([eE][+-]?9+)?|[+-]?9{1,3}(,9{3})+\.9+|[+-]?9{1,3}(,9{3}){2,}"
    ),
    "comma": re.compile(
        r"[+-]?9+,(9{1,2}|9{4,})|[+-]?9{4,},9+|[+-]?9{1,3}(\.9{3})+,9*|[+-]?9{1,3}(\.9{3}){2,}"
    ),
    "either": re.compile(r"[+-]?9{1,3},9{3}"),
}


@dataclass(frozen=True)
class Shape:
    """What some values of a column look like, how many lines have it, and two of the values."""

    text: str
    lines: int
    low: str
    high: str


@dataclass(frozen=True)
class Profile:
    """A column of the sample.

    Attributes:
        name: Its raw name.
        type: The type that the database gives it; all text for CSV.
        kind: The kind that type belongs to.
        lines: The lines of the sample.
        filled: The lines in which it is neither NULL nor blank.
        different: How many values it has.
        shapes: What they look like, the most frequent first.
    """

    name: str
    type: str
    kind: ColumnKind
    lines: int
    filled: int
    different: int
    shapes: tuple[Shape, ...]

    @property
    def unique(self) -> bool:
        """Whether no value repeats, in a sample that is large enough to tell."""
        return self.filled >= 10 and self.different == self.filled

    @property
    def constant(self) -> bool:
        """Whether there is one value only, in a sample that is large enough to tell."""
        return self.lines >= 10 and self.different == 1


@dataclass(frozen=True)
class Value:
    """A frequent value of a column."""

    text: str
    lines: int
    orders: int


def date_styles(profile: Profile) -> dict[str, list[Shape]]:
    """Return the shapes of a column that are dates, by how they are written."""
    if profile.kind in ("date", "timestamp"):
        return {"year first": list(profile.shapes)}
    found: dict[str, list[Shape]] = {}
    for shape in profile.shapes:
        for style, pattern in _DATES.items():
            low, high = _RANGES.get(style, ("", "~"))
            if pattern.fullmatch(shape.text) and low <= shape.low and shape.high < high:
                found.setdefault(style, []).append(shape)
                break
    return found


def number_styles(profile: Profile) -> dict[str, list[Shape]]:
    """Return the shapes of a column by how numbers are written; 'none' for what is no number.

    'comma' is a decimal comma for sure, as in 12,5 or 1.234,56; 'point' a decimal point; 'either'
    is 1,234, which may be both.
    """
    if profile.kind == "number":
        return {"point": list(profile.shapes)}
    found: dict[str, list[Shape]] = {}
    for shape in profile.shapes:
        matched = (style for style, p in _NUMBERS.items() if p.fullmatch(shape.text))
        found.setdefault(next(matched, "none"), []).append(shape)
    return found


def lines_of(shapes: Sequence[Shape]) -> int:
    """Return how many lines of the sample have one of the shapes."""
    return sum(shape.lines for shape in shapes)


def is_zoned(profile: Profile) -> bool:
    """Return whether the times of a column carry their distance from UTC."""
    return any(_ZONED.fullmatch(shape.text) for shape in profile.shapes)


class Sample:
    """The sample of one source, and the questions that can be put to it.

    Args:
        engine: Where it lies.
        source: The relation as SQL names it.
        whole: Whether the relation is a sample already; otherwise only its first rows are read.
    """

    def __init__(self, engine: Engine, source: str, *, whole: bool) -> None:
        self._engine = engine
        self._source = source
        self._limit = None if whole else ROWS
        self.columns = self._profiles()
        self.lines = self.columns[0].lines if self.columns else 0

    def _ask(self, step: str, **context: Any) -> list[dict[str, Any]]:
        sql = render(step, source=self._source, limit=self._limit, **context)
        return self._engine.fetch(sql).dicts()

    def _profiles(self) -> tuple[Profile, ...]:
        described: list[Column] = [
            column
            for column in self._engine.describe(render("columns", source=self._source))
            if not _OPAQUE.fullmatch(column.type)
        ]
        if not described:
            return ()
        if self._limit is not None:
            self._limit = rows_to_look_at(len(described))
        names = [self._engine.quote(column.name) for column in described]
        shapes: dict[int, list[Shape]] = {}
        for row in self._ask("shapes", columns=names):
            shape = Shape(row["shape"], row["n_lines"], row["low"], row["high"])
            shapes.setdefault(row["nth"], []).append(shape)
        return tuple(
            Profile(
                name=column.name,
                type=column.type,
                kind=column.kind,
                lines=row["n_lines"],
                filled=row["filled"],
                different=row["different"],
                shapes=tuple(shapes.get(row["nth"], ())),
            )
            for column, row in zip(described, self._ask("profile", columns=names), strict=True)
        )

    def values(self, column: str, order_id: str | None) -> list[Value]:
        """Return the fifty most frequent values of a column, by orders and then by lines."""
        rows = self._ask("values", column=self._quote(column), order_id=self._quote(order_id))
        return [Value(row["value_text"], row["n_lines"], row["n_orders"]) for row in rows]

    def orders(
        self, order_id: str, customer_id: str | None, amounts: Sequence[str]
    ) -> dict[str, int]:
        """Return counts of orders: constant_<n> by amount, n_multi_line, n_shared, n_orders."""
        return self._ask(
            "orders",
            order_id=self._quote(order_id),
            customer_id=self._quote(customer_id),
            amounts=[self._quote(amount) for amount in amounts],
        )[0]

    def day_month(self, column: str, shapes: Sequence[Shape]) -> dict[str, Any]:
        """Return which part of dates with the year last can only be a day, with an example."""
        literals = [self._engine.literal(shape.text) for shape in shapes]
        return self._ask("day_month", column=self._quote(column), shapes=literals)[0]

    def id_forms(self, column: str) -> list[dict[str, Any]]:
        """Return how many ids are there in forms that differ by spaces or case, and one of each."""
        return self._ask("id_forms", column=self._quote(column))

    def prefixes(self, order_id: str, numbers: Sequence[str]) -> list[dict[str, Any]]:
        """Return the letters that order ids begin with, and how many lines are negative."""
        return self._ask(
            "prefixes",
            order_id=self._quote(order_id),
            numbers=[self._quote(number) for number in numbers],
        )

    def _quote(self, name: str | None) -> str | None:
        return None if name is None else self._engine.quote(name)


def rows_to_look_at(columns: int) -> int:
    """Return how many rows to look at of a table with so many columns.

    >>> rows_to_look_at(10), rows_to_look_at(300)
    (50000, 3333)
    """
    return min(ROWS, max(_CELLS // max(columns, 1), 1000))


def render(step: str, **context: Any) -> str:
    """Return the SQL of a template of sql/init/."""
    return template_environment().get_template(f"{step}.sql").render(context)


@cache
def template_environment() -> Environment:
    """Return the environment that renders the templates of sql/init/."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(resources.SQL / "init"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
