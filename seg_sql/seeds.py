"""Seeds: CSV files of a project that become small tables."""

from __future__ import annotations

from seg_sql.errors import ConfigError
from seg_sql.project import Model
from seg_sql.step import Steps
from seg_sql.unit_testing import kind_of, read_csv_rows, sql_type

MAX_ROWS = 10_000


def seed_select(model: Model, steps: Steps) -> str:
    """Return a seed as a SELECT; types are those of schema.yml, else those of the values."""
    rows = read_csv_rows(model.text)
    if not model.text.strip():
        raise ConfigError("The seed is empty: it needs a header line.", where=model.shown)
    if len(rows) > MAX_ROWS:
        raise ConfigError(
            f"A seed has at most {MAX_ROWS:,} rows, this one {len(rows):,}.",
            where=model.shown,
            hint="Load it into the database as a table, and read it as an input.",
        )
    names = [name.strip() for name in model.text.strip().splitlines()[0].split(",")]
    declared = {column.name: column.data_type for column in model.entry.columns}
    renderer = steps.workspace.renderer
    columns = [
        {"name": name, "type": sql_type(declared.get(name, ""), kind_of(rows, name), renderer)}
        for name in names
    ]
    return steps.sql(
        "rows", columns=columns, rows=[[row.get(name) for name in names] for row in rows]
    )
