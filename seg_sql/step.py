"""One statement at a time: render a template, run it, read a row of scalars, clean up.

Algorithms and the runner speak to the database through this; customer rows stay there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seg_sql import resources
from seg_sql.engines import Engine, RelationKind
from seg_sql.workspace import Workspace


class Steps:
    """The statements of one run, and the work tables that it made.

    Args:
        workspace: The project and its renderer.
        engine: The connection.
        run: Eight hexadecimal digits that name the run's work tables.
        folder: The folder below sql/ that templates come from.
    """

    def __init__(self, workspace: Workspace, engine: Engine, run: str, folder: str) -> None:
        self.workspace = workspace
        self.engine = engine
        self.run = run
        self.folder = folder
        self._made = 0

    def sql(self, template: str, **context: Any) -> str:
        """Render a template of the folder."""
        path = resources.SQL / self.folder / f"{template}.sql"
        return self.workspace.renderer.render(
            path.read_text("utf-8"),
            f"sql/{self.folder}/{template}.sql",
            ref=self.workspace.ref_sql,
            input=self.workspace.input_sql,
            **context,
        ).sql

    def row(
        self, template: str, *, parameters: Mapping[str, Any] | None = None, **context: Any
    ) -> dict[str, Any]:
        """Run a query that yields one row of scalars."""
        return self.rows(template, parameters=parameters, **context)[0]

    def rows(
        self, template: str, *, parameters: Mapping[str, Any] | None = None, **context: Any
    ) -> list[dict[str, Any]]:
        """Run a query that yields a few rows."""
        return self.engine.fetch(self.sql(template, **context), parameters).dicts()

    def work_name(self) -> str:
        """Return the name of the next work relation of this run."""
        self._made += 1
        return f"seg_tmp_{self.run}_{self._made}"

    def table(self, select: str, *, kind: RelationKind = "table", work: bool = True) -> str:
        """Make a work relation from a SELECT; return its name."""
        name = self.work_name()
        self.engine.create(name, kind, select, work=work)
        return name
