"""What a report is made of: parts, figures with a reading, and tables; none of it drawn yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seg_sql.step import Steps

OTHERS = "Other (small groups)"


@dataclass(frozen=True)
class Table:
    """Rows of formatted text.

    Attributes:
        heads: The column heads.
        rows: The cells.
        numbers: The columns, from 0, that are numbers and so stand right.
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Figure:
    """A chart with all that is said of it.

    Attributes:
        name: Its file name, and its id on the page.
        title: What it shows.
        reading: The one sentence that a reader should take away, computed from the data.
        spec: The chart, in Vega-Lite or Vega.
        table: The same figures as text, for those who cannot see the chart.
        note: How to read it, where that is not plain.
        wide: Whether it takes the whole width, and scrolls on a phone.
    """

    name: str
    title: str
    reading: str
    spec: Mapping[str, Any]
    table: Table
    note: str = ""
    wide: bool = False


@dataclass(frozen=True)
class Part:
    """A chapter of the report."""

    title: str
    lead: str = ""
    figures: Sequence[Figure] = ()
    table: Table | None = None


@dataclass(frozen=True)
class Source:
    """Where the figures come from.

    Attributes:
        steps: Runs the templates of sql/report.
        min_group: How many customers a group has at least that is shown.
        built: The published tables.
    """

    steps: Steps
    min_group: int
    built: frozenset[str]

    def rows(self, template: str, *, given: Mapping[str, Any] | None = None, **context: Any) -> Any:
        """Return the rows of a template; `given` are its parameters."""
        return self.steps.rows(
            template, parameters=given, min_group=self.min_group, others=OTHERS, **context
        )

    def group(self, model: str) -> tuple[str, str] | None:
        """Return the largest group of a grouped table, and a note where there are others."""
        rows = self.rows("largest_group", model=model)
        if not rows:
            return None
        key, count = rows[0]["group_key"], rows[0]["group_count"]
        note = f"Shown is the group {key}, the largest of {count:,}. " if count > 1 else ""
        return str(key), note


Builder = Callable[[Source], Part | str]
