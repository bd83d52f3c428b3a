"""seg-sql in a notebook: a project, or one call on a connection or a table.

The models are those of the command line. A one-off call is a project of a few lines that is made
in a temporary folder and built on the given connection; its tables stay in a schema of that
database (`seg_sql` unless `schema` names another) and are replaced by the next call of the kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from seg_sql import commands
from seg_sql.events import Log, NodeFinished
from seg_sql.one_off import one_off
from seg_sql.outcome import failure, warnings_of
from seg_sql.profiles import DEFAULT_SCHEMA
from seg_sql.project import load_project
from seg_sql.session import Settings, session
from seg_sql.tables import Opened, Result, Table, table_of
from seg_sql.workspace import Workspace


@dataclass(frozen=True)
class Run:
    """What a build published: each table by its name, as in `run["rfm"].df()`."""

    log: Log = field(repr=False)
    warnings: tuple[str, ...]
    _opened: Opened = field(repr=False)

    @cached_property
    def built(self) -> tuple[str, ...]:
        """Return the models that were built, in their order."""
        return tuple(event.name for event in self.log.of(NodeFinished) if event.status == "success")

    def __getitem__(self, name: str) -> Table:
        """Return a published table.

        Raises:
            SelectionError: There is no such table.
        """
        with self._opened() as workspace:
            return table_of(workspace, name, self._opened)

    def _repr_html_(self) -> str:
        import pandas

        rows = [
            {"model": event.name, "rows": event.rows, "seconds": round(event.seconds, 2)}
            for event in self.log.of(NodeFinished)
        ]
        table: str = pandas.DataFrame(rows).to_html(index=False, na_rep="")
        return table


@dataclass(frozen=True)
class Project:
    """A project folder, as the command line has it."""

    settings: Settings

    @classmethod
    def load(cls, path: str | Path = ".", **settings: Any) -> Project:
        """Return the project of a folder with seg_sql.yml.

        Args:
            path: The folder.
            settings: As on the command line: target, vars, profiles_dir, threads ...

        Raises:
            SegSqlError: The project cannot be used as it is.
        """
        made = Settings(project_dir=Path(path), **settings)
        load_project(made.project_dir, made.vars)
        return cls(made)

    def build(self, select: str | Sequence[str] = (), *, exclude: str | Sequence[str] = ()) -> Run:
        """Build, test and publish models, as `seg-sql build -s` does.

        Raises:
            ModelError: A model or a test failed.
            SegSqlError: The build could not start.
        """
        log = Log()
        code = commands.run(
            "build", self.settings, log, select=_listed(select), exclude=_listed(exclude)
        )
        if code:
            raise failure(log)
        return Run(log, warnings_of(log), self._opened)

    def __getitem__(self, name: str) -> Table:
        """Return a table that an earlier build published."""
        with self._opened() as workspace:
            return table_of(workspace, name, self._opened)

    def _opened(self) -> AbstractContextManager[Workspace]:
        return session(self.settings)


def rfm(
    source: Any,
    query: str | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    schema: str = DEFAULT_SCHEMA,
    vars: Mapping[str, Any] | None = None,
    **options: Any,
) -> Result:
    """Score the customers of order lines by recency, frequency and monetary value.

    Args:
        source: A DuckDB or psycopg connection, or a pandas, polars or Arrow table.
        query: With a connection: the relation, or the SELECT, of the order lines.
        columns: Our column names to yours, as in seg_sql.yml; left out, they are called as ours.
        schema: Where the tables land.
        vars: as_of, timezone, refunds ... as in seg_sql.yml.
        options: Options of the model: bins, ties, cut_points, segment_map ...

    Returns:
        `.assignments` (rfm), `.segments`, `.cut_points`, `.segment_map` and `.quality`.

    Raises:
        SegSqlError: The rows or options cannot be used.
    """
    tables = {
        "assignments": "rfm",
        "segments": "rfm_segments",
        "cut_points": "rfm_cut_points",
        "segment_map": "rfm_segment_map",
        "quality": "input_quality",
    }
    return _order_model("rfm", tables, source, query, columns, schema, vars, options)


def kmeans(
    source: Any,
    query: str | None = None,
    *,
    key: str | Sequence[str] = "customer_id",
    k: int | str | Sequence[int] = "auto",
    schema: str = DEFAULT_SCHEMA,
    name: str = "clusters",
    **options: Any,
) -> Result:
    """Cluster rows by their numeric columns.

    Args:
        source: A DuckDB or psycopg connection, or a pandas, polars or Arrow table.
        query: With a connection: the relation, or the SELECT, of the rows to cluster.
        key: The columns that identify a row.
        k: The number of clusters, several to choose from, or 'auto'.
        schema: Where the tables land.
        name: What they are called: `<name>`, `<name>_centroids` ...
        options: Options of the algorithm: features, transform, scaling, seed ...

    Returns:
        `.assignments`, `.centroids`, `.quality`, `.profile`, `.features`, `.fit` ...

    Raises:
        SegSqlError: The rows or options allow no fit.
    """
    keys = _listed(key)
    given = {"k": k if isinstance(k, (int, str)) else list(k), **options}
    project = {"models": {name: given}}
    template = (
        f"{{{{ config(materialized='kmeans', unique_key={keys!r}) }}}}\n"
        "select * from {{ input('rows') }} as given_rows\n"
    )
    return one_off(
        source,
        query,
        schema=schema,
        project=project,
        input_name="rows",
        models={name: template},
        select=[name],
        model=name,
    )


def clv(
    source: Any,
    query: str | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    schema: str = DEFAULT_SCHEMA,
    vars: Mapping[str, Any] | None = None,
    **options: Any,
) -> Result:
    """Fit customer lifetime value on order lines.

    Args:
        source: A DuckDB or psycopg connection, or a pandas, polars or Arrow table.
        query: With a connection: the relation, or the SELECT, of the order lines.
        columns: Our column names to yours, as in seg_sql.yml; left out, they are called as ours.
        schema: Where the tables land.
        vars: as_of, clv_time_unit ... as in seg_sql.yml.
        options: Options of the algorithm: model, horizon, discount_rate, margin ...

    Returns:
        `.customers` (clv), `.summary`, `.parameters`, `.fit`, `.holdout` and `.metrics`.

    Raises:
        SegSqlError: The rows or options allow no fit.
    """
    tables = {
        "customers": "clv",
        "summary": "clv_customer_summary",
        **{part: f"clv_{part}" for part in ("parameters", "fit", "holdout", "metrics")},
    }
    return _order_model("clv", tables, source, query, columns, schema, vars, options)


def item_similarity(
    source: Any,
    query: str | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    schema: str = DEFAULT_SCHEMA,
    vars: Mapping[str, Any] | None = None,
    **options: Any,
) -> Result:
    """Find the items that are bought together, from order lines; customers are not needed.

    Args:
        source: A DuckDB or psycopg connection, or a pandas, polars or Arrow table.
        query: With a connection: the relation, or the SELECT, of the order lines.
        columns: Our column names to yours, as in seg_sql.yml; left out, they are called as ours.
        schema: Where the tables land.
        vars: As in seg_sql.yml.
        options: Options of the algorithm: unit, measure, top_n, min_pair_baskets ...

    Returns:
        `.similar_items` (item_similarity) and `.exclusions`.

    Raises:
        SegSqlError: The rows or options cannot be used.
    """
    tables = {"similar_items": "item_similarity", "exclusions": "item_similarity_exclusions"}
    return _order_model("item_similarity", tables, source, query, columns, schema, vars, options)


def _order_model(
    model: str,
    tables: Mapping[str, str],
    source: Any,
    query: str | None,
    columns: Mapping[str, str] | None,
    schema: str,
    vars: Mapping[str, Any] | None,
    options: Mapping[str, Any],
) -> Result:
    """Build a packaged model, and what it reads, over order lines."""
    # A table, whatever it is read from: the rows may be gone when the call is over.
    models = {"order_lines_clean": {"materialized": "table"}, model: dict(options)}
    return one_off(
        source,
        query,
        schema=schema,
        project={"vars": dict(vars or {}), "models": models},
        input_name="order_lines",
        columns=columns,
        select=[f"+{name}" for name in tables.values()],
        model=model,
        tables=tables,
    )


def _listed(words: str | Sequence[str]) -> list[str]:
    return [words] if isinstance(words, str) else list(words)
