"""Seeds: CSV files of a project that become small tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seg_sql.csv_rows import kind_of, read_csv
from seg_sql.errors import ConfigError, did_you_mean
from seg_sql.given_rows import rows_sql, sql_type
from seg_sql.options import PACKAGED_MAPS
from seg_sql.project import Model
from seg_sql.step import Steps

MAX_ROWS = 10_000

# Of a segment map: what a person may leave out who only wants to name the segments.
_MAP = "rfm_map_"
_MAY_BE_ABSENT = ("segment_order", "description", "suggested_action")


def seed_select(model: Model, steps: Steps) -> str:
    """Return a seed as a SELECT; types are those of schema.yml, else those of the values.

    Raises:
        ConfigError: The file is empty, too long or ragged, or schema.yml names another column.
    """
    declared, where = _declared(model, steps.workspace.project.models)
    names, rows = read_csv(model.text, model.shown, declared)
    if len(rows) > MAX_ROWS:
        raise ConfigError(
            f"A seed has at most {MAX_ROWS:,} rows, this one {len(rows):,}.",
            where=model.shown,
            hint="Load it into the database as a table, and read it as an input.",
        )
    may_be_absent = _MAY_BE_ABSENT if model.name.startswith(_MAP) else ()
    for name in declared:
        if name not in names and name not in may_be_absent:
            raise ConfigError(
                f"The seed {model.name} has no column '{name}'.",
                where=where,
                hint=did_you_mean(name, names),
            )
    names += [name for name in declared if name not in names]
    renderer = steps.workspace.renderer
    types = {name: declared.get(name) or _whole(rows, name) for name in names}
    columns = [
        {"name": name, "type": sql_type(types[name], kind_of(rows, name), renderer)}
        for name in names
    ]
    return rows_sql(columns, rows, renderer)


def _declared(model: Model, models: Mapping[str, Model]) -> tuple[dict[str, str], str]:
    """Return the types of a seed's columns, and where they are declared.

    A segment map of a project's own has the columns of the packaged ones without saying so.
    """
    columns, where = model.entry.columns, model.entry_where
    if not columns and model.name.startswith(_MAP):
        columns, where = models[f"{_MAP}{PACKAGED_MAPS[0]}"].entry.columns, f"{model.shown}:1"
    return {column.name: column.data_type for column in columns}, where


def _whole(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    """Return the type of a column of whole numbers; nothing for other columns."""
    values = {type(row.get(name)) for row in rows} - {type(None)}
    return "bigint" if values == {int} else ""
