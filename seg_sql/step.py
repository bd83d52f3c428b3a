"""One statement at a time: render a template, run it, read a row of scalars, clean up.

Algorithms and the runner speak to the database through this; customer rows stay there.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from seg_sql import resources
from seg_sql.engines import RelationKind
from seg_sql.events import Iterated, Log, Said
from seg_sql.journal import Journal
from seg_sql.workspace import Workspace


class Steps:
    """The statements of one run, and the work tables that it made.

    Args:
        workspace: The project, its renderer and its connection.
        folder: The folder below sql/ that templates come from.
        run: Eight hexadecimal digits that name the run's work tables, if it makes any.
        model: The model that is built, for the lines that tell how an iteration went.
        log: Takes those lines.
        counter: Numbers the work relations of a run; shared by the steps of all its models.
        journal: Keeps each answer, and knows those of an interrupted fit.
    """

    def __init__(
        self,
        workspace: Workspace,
        folder: str,
        *,
        run: str = "00000000",
        model: str = "",
        log: Log | None = None,
        counter: Iterator[int] | None = None,
        journal: Journal | None = None,
    ) -> None:
        self.workspace = workspace
        self.engine = workspace.engine
        self.run = run
        self.folder = folder
        self.model = model
        self.log = log or Log()
        self.counter = counter or itertools.count(1)
        self.journal = journal
        self.made: list[str] = []

    def beside(self, folder: str) -> Steps:
        """Return the statements of another folder in the same run, with the same work tables."""
        steps = Steps(
            self.workspace,
            folder,
            run=self.run,
            model=self.model,
            log=self.log,
            counter=self.counter,
        )
        steps.made = self.made
        return steps

    def sql(self, template: str, **context: Any) -> str:
        """Render a template of the folder, or of the one above it, whose templates are shared."""
        path = resources.SQL / self.folder / f"{template}.sql"
        if not path.is_file():
            path = path.parents[1] / path.name
        return self.workspace.renderer.render(
            path.read_text("utf-8"),
            f"sql/{path.relative_to(resources.SQL).as_posix()}",
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
        sql = self.sql(template, **context)
        if self.journal is None or parameters is not None:
            return self.engine.fetch(sql, parameters).dicts()
        known, rows = self.journal.recall("rows", sql)
        if not known:
            rows = self.engine.fetch(sql).dicts()
            self.journal.keep("rows", sql, rows)
        found: list[dict[str, Any]] = rows
        return found

    def work_name(self) -> str:
        """Return the name of the next work relation of this run."""
        name = f"seg_tmp_{self.run}_{next(self.counter)}"
        self.made.append(name)
        return name

    def table(
        self,
        select: str,
        *,
        kind: RelationKind = "table",
        work: bool = True,
        analyze: bool = True,
        computed: Mapping[str, str] | None = None,
    ) -> str:
        """Make a work relation from a SELECT; return its name.

        Args:
            select: The rows.
            kind: A table or a view.
            work: Whether it is never published.
            analyze: Whether the planner is to know its columns.
            computed: Columns that an engine may compute when they are read, by their expressions.
        """
        name = self.work_name()
        if self.journal is None:
            self.engine.create(name, kind, select, work=work, analyze=analyze, computed=computed)
            return name
        known, answer = self.journal.recall("table", select)
        lasts = self.engine.work_lasts or not work or kind == "view"
        if not known or not lasts:
            rows = self.engine.create(
                name, kind, select, work=work, analyze=analyze, computed=computed
            )
            if not known:
                self.journal.keep("table", select, {"name": name, "rows": rows, "lasts": lasts})
            elif rows != answer["rows"]:
                self.journal.refuse()
        return name

    def append(self, name: str, select: str) -> int:
        """Add the rows of a SELECT to a table that outlasts the connection; return their number."""
        if self.journal is None:
            return self.engine.append(name, select)
        known, answer = self.journal.recall("append", select)
        if not known:
            answer = {"name": name, "rows": self.engine.append(name, select)}
            self.journal.keep("append", select, answer)
        return int(answer["rows"])

    def relation(self, name: str) -> str:
        """Return the qualified name of a work relation, for use in a template."""
        return self.engine.relation(name)

    def drop(self, *names: str) -> None:
        """Drop work relations that are not needed any more."""
        for name in names:
            if self.journal is not None and not self.journal.recall("drop", name)[0]:
                self.journal.keep("drop", name, name)
            self.engine.drop(name)
            self.made.remove(name)

    def progress(
        self, iteration: int, seconds: float, *, stage: str = "", **figures: float
    ) -> None:
        """Tell how an iteration went; of those known from before, the last one."""
        if self.journal is not None:
            if not self.journal.recall("iteration", str(iteration))[0]:
                self.journal.keep("iteration", str(iteration), iteration)
            if self.journal.replaying:
                return
        self.log(Iterated(self.model, iteration, figures, seconds, stage))

    def warn(self, text: str, hint: str | None = None) -> None:
        """Tell what a person should look at."""
        self.log(Said(f"{self.model}: {text}", level="warn", hint=hint))
