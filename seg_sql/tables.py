"""Tables of the database as a notebook sees them: read when they are asked for."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seg_sql.errors import ConfigError, SelectionError, did_you_mean
from seg_sql.fitting import task
from seg_sql.step import Steps
from seg_sql.wording import counted
from seg_sql.workspace import Workspace

if TYPE_CHECKING:
    from pandas import DataFrame

SHOWN_ROWS = 20

_SELECT = re.compile(r"\s*(?:(?:select|with|from|values)\b|\()", re.IGNORECASE)

Opened = Callable[[], AbstractContextManager[Workspace]]


@dataclass(frozen=True)
class Table:
    """Rows of the database that are fetched when they are asked for.

    Attributes:
        name: What it is called.
        sql: The SELECT that makes its rows.
        query: The SELECT that reads them.
    """

    name: str
    sql: str
    query: str
    _opened: Opened = field(repr=False, compare=False)

    def df(self) -> DataFrame:
        """Return all rows as a pandas frame."""
        with self._opened() as workspace:
            return workspace.engine.frame(self.query)

    def _repr_html_(self) -> str:
        with self._opened() as workspace:
            relation = f"(\n{self.query}\n)"
            steps = Steps(workspace, "runner")
            total = steps.row("row_count", relation=relation)["row_count"]
            first = workspace.engine.frame(
                steps.sql("all_rows", relation=relation, limit=SHOWN_ROWS)
            )
        said = f"{html.escape(self.name)}: {counted(total, 'row')}"
        more = f", the first {len(first)}" if total > len(first) else ""
        rows: str = first.to_html(index=False)
        return f"<p>{said}{more}</p>{rows}"


@dataclass(frozen=True)
class Result:
    """What a one-off call left in the database: tables that are read when they are asked for.

    Attributes:
        tables: Each table by its short name, which is also an attribute: `result.assignments`.
        warnings: What a person should look at.
    """

    tables: Mapping[str, Table]
    warnings: tuple[str, ...]
    _model: str = field(repr=False)
    _opened: Opened = field(repr=False)

    def __getattr__(self, name: str) -> Table:
        """Return a table by its short name."""
        # Not self.tables: a copy that is being made has none yet.
        tables = self.__dict__.get("tables", {})
        if name not in tables:
            raise AttributeError(f"There is no table '{name}'. {did_you_mean(name, tables) or ''}")
        found: Table = tables[name]
        return found

    @property
    def sql(self) -> str:
        """Return the model as one plain SELECT over the rows that it was given.

        Of an algorithm that can score it is the scoring with its fit.
        """
        with self._opened() as workspace:
            node = workspace.nodes[self._model]
            if node.algorithm is None or node.algorithm.apply is None:
                return workspace.compile(self._model)
            return scored(workspace, self._model, f"({workspace.compile(self._model)})")

    def predict(self, rows: str) -> Table:
        """Return other rows scored with this fit, without a new one.

        Args:
            rows: A relation, or a SELECT; for rfm with customer_id, recency, frequency, monetary.

        Raises:
            ConfigError: The model has no fit to score with, or the rows lack a column.
        """
        relation = f"(\n{rows.strip().rstrip(';')}\n)" if is_select(rows) else rows
        with self._opened() as workspace:
            sql = scored(workspace, self._model, relation)
            workspace.engine.describe(sql)
        return Table(f"{self._model} predicted", sql, sql, self._opened)

    def _repr_html_(self) -> str:
        names = "".join(f"<li>.{name}</li>" for name in self.tables)
        notes = "".join(f"<p>{html.escape(text)}</p>" for text in self.warnings)
        return f"{notes}{next(iter(self.tables.values()))._repr_html_()}<ul>{names}</ul>"


def table_of(workspace: Workspace, name: str, opened: Opened) -> Table:
    """Return a published table by its name."""
    output = workspace.output(name)
    if output is None or name not in workspace.built():
        raise SelectionError(
            f"There is no table '{name}'.", hint=did_you_mean(name, workspace.owners)
        )
    with workspace.before_reading():
        node = workspace.nodes[workspace.owners[name]]
        sql = workspace.compile(node.name) if node.kind != "seed" else ""
    steps = Steps(workspace, "runner")
    query = steps.sql("all_rows", relation=workspace.published(name))
    return Table(name, sql or query, query, opened)


def scored(workspace: Workspace, model: str, relation: str) -> str:
    """Return the SELECT that scores a relation with the published fit of a model."""
    node, engine = workspace.nodes[model], workspace.engine
    if node.algorithm is None:
        steps = Steps(workspace, "runner")
        everything = steps.sql("all_rows", relation=relation)
        columns = [column.name for column in engine.describe(everything)]
        measures = steps.sql("measures", rows=relation, columns=columns)

        def ref(name: str) -> str:
            return f"(\n{measures}\n)" if name == "rfm_values" else workspace.ref_sql(name)

        return workspace.compile(model, ref=ref)
    if node.algorithm.apply is None:
        raise ConfigError(f"{model} has no fit to score other rows with.")
    steps = Steps(workspace, f"algorithms/{node.algorithm.name}", model=model)
    given = task(workspace, node, engine.existing())
    return node.algorithm.apply(steps, given.previous, f"{relation} as scored_rows", given)


def is_select(text: str) -> bool:
    """Return whether a text is a SELECT, and not the name of a relation.

    >>> is_select("with a as (select 1) select * from a"), is_select("shop.selected")
    (True, False)
    """
    return _SELECT.match(text) is not None
