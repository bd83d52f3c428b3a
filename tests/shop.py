"""A small project on a target, as tests use it: raw tables in, published rows out."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from seg_sql import commands
from seg_sql.engines import open_engine
from seg_sql.events import Log, NodeFinished, RunFinished, Said, TestFinished
from seg_sql.inputs import Limits
from seg_sql.profiles import DuckDBTarget, PostgresTarget
from seg_sql.session import Settings

COLUMNS = ("customer_id", "order_id", "ordered_at", "item_id", "quantity", "unit_price")
TYPES = {
    "customer_id": "varchar",
    "order_id": "varchar",
    "ordered_at": "timestamp",
    "item_id": "varchar",
    "quantity": "integer",
    "unit_price": "double precision",
    "amount": "double precision",
}


@dataclass
class Shop:
    """A project folder and the target that it writes to."""

    folder: Path
    target: DuckDBTarget | PostgresTarget
    log: Log = field(default_factory=Log, repr=False)

    @property
    def is_postgres(self) -> bool:
        return isinstance(self.target, PostgresTarget)

    def write(self, **project: Any) -> None:
        """Write seg_sql.yml and profiles.yml; order_lines is the table `raw` unless given."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config: dict[str, Any] = {
            "name": "shop",
            "profile": "shop",
            "inputs": {"order_lines": {"relation": self.raw("raw")}},
            **project,
        }
        (self.folder / "seg_sql.yml").write_text(yaml.safe_dump(config, sort_keys=False))
        output = self.target.model_dump(by_alias=True, exclude={"name"}, exclude_none=True)
        if self.is_postgres and self.target.password is not None:
            output["password"] = self.target.password.get_secret_value()
        profile = {"shop": {"target": "dev", "outputs": {"dev": output}}}
        (self.folder / "profiles.yml").write_text(yaml.safe_dump(profile))

    def raw(self, name: str) -> str:
        """Return where a raw table lies: beside the published ones, under a name of its own."""
        return f'"{self.target.schema_}"."raw_{name}"'

    def engine(self, **settings: Any) -> Any:
        return closing(open_engine(self.target, **settings))

    def execute(self, *statements: str) -> None:
        with self.engine() as engine:
            engine.prepare_schema()
            for statement in statements:
                engine.execute(statement)

    def load(
        self,
        rows: Sequence[Sequence[Any]],
        columns: Sequence[str] = COLUMNS,
        *,
        name: str = "raw",
        types: Mapping[str, str] | None = None,
    ) -> None:
        """Make a raw table from rows."""
        kinds = {**TYPES, **(types or {})}
        declared = ", ".join(f'"{column}" {kinds.get(column, "varchar")}' for column in columns)
        with self.engine() as engine:
            engine.prepare_schema()
            engine.execute(f"drop table if exists {self.raw(name)}")
            engine.execute(f"create table {self.raw(name)} ({declared})")
            if rows:
                engine.insert(f"raw_{name}", list(columns), [list(row) for row in rows])

    def load_frame(self, frame: Any, types: Mapping[str, str], *, name: str = "raw") -> None:
        """Make a raw table from a pandas frame, quickly."""
        declared = ", ".join(f'"{column}" {type_}' for column, type_ in types.items())
        table = self.raw(name)
        frame = frame[list(types)]
        with self.engine() as engine:
            engine.prepare_schema()
            engine.execute(f"drop table if exists {table}")
            engine.execute(f"create table {table} ({declared})")
            if self.is_postgres:
                text = io.StringIO()
                frame.to_csv(text, index=False, header=False, na_rep="\\N")
                with (
                    engine._connection.cursor() as cursor,
                    cursor.copy(f"copy {table} from stdin (format csv, null '\\N')") as copy,
                ):
                    copy.write(text.getvalue())
            else:
                engine._connection.register("frame", frame)
                columns = ", ".join(f'"{column}"' for column in types)
                engine.execute(f"insert into {table} select {columns} from frame")
                engine._connection.unregister("frame")

    def run(
        self,
        command: str = "build",
        *select: str,
        vars: Mapping[str, Any] | None = None,
        limits: Limits | None = None,
        threads: int | None = None,
        wait: float = 0.0,
        **options: Any,
    ) -> int:
        """Run a command; its events are in `log`."""
        self.log = Log()
        settings = Settings(
            project_dir=self.folder,
            profiles_dir=self.folder,
            vars=vars or {},
            limits=limits or Limits(),
            threads=threads,
            wait=wait,
        )
        return commands.run(command, settings, self.log, select=list(select), **options)

    def build(self, *select: str, **options: Any) -> None:
        """Build, and fail the test with what was said when the build fails."""
        code = self.run("build", *select, **options)
        assert code == 0, self.said()

    def rows(self, name: str, *, order: str = "1, 2") -> list[dict[str, Any]]:
        """Return the rows of a published table."""
        with self.engine() as engine:
            return engine.fetch(f"select * from {engine.relation(name)} order by {order}").dicts()

    def said(self) -> str:
        """Return everything that went wrong or was remarked in the last run."""
        lines = [f"{each.level}: {each.text} {each.hint or ''}" for each in self.log.of(Said)]
        lines += [
            f"{each.status}: {each.name} {each.message}"
            for each in self.log.of(NodeFinished)
            if each.status != "success"
        ]
        lines += [
            f"{each.status}: {each.name} {each.failures} {each.message}\n{each.detail}"
            for each in self.log.of(TestFinished)
            if each.status != "pass"
        ]
        return "\n".join(lines)

    @property
    def finished(self) -> RunFinished:
        return self.log.of(RunFinished)[-1]


def by(rows: Sequence[Mapping[str, Any]], *keys: str) -> dict[Any, Mapping[str, Any]]:
    """Return rows by the value of a key column, or by a tuple of several."""
    return {row[keys[0]] if len(keys) == 1 else tuple(row[k] for k in keys): row for row in rows}
