"""A shop whose project has models, seeds and tests of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from typing import Any
from xml.etree import ElementTree

import yaml
from shop import Shop

from seg_sql.engines import Existing
from seg_sql.events import NodeFinished, TestFinished

# Three customers, five orders: ann 9 + 3, bob 40, eve 30 + 30; and a guest for 6.
LINES = [
    ("ann", "1", "2026-01-05", "mug", 2, 4.5),
    ("ann", "2", "2026-02-05", "cup", 1, 3.0),
    ("bob", "3", "2026-01-15", "mug", 10, 4.0),
    ("eve", "4", "2026-03-01", "pot", 1, 30.0),
    ("eve", "5", "2026-03-31", "pot", 1, 30.0),
    (None, "6", "2026-03-31", "cup", 2, 3.0),
]

# The packaged models that are not algorithms.
BASE = ("+rfm_segments", "customer_lifecycle", "cohort_retention", "input_quality")

SEG_SQL = [sys.executable, "-m", "seg_sql"]


class BuildShop(Shop):
    """A shop with files of its own, and words for what a build has made of it."""

    def file(self, path: str, text: str) -> None:
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(textwrap.dedent(text).lstrip("\n"))

    def model(self, name: str, sql: str) -> None:
        self.file(f"sql/models/{name}.sql", sql)

    def seed(self, name: str, rows: str) -> None:
        self.file(f"sql/seeds/{name}.csv", rows)

    def singular(self, name: str, sql: str) -> None:
        self.file(f"sql/tests/{name}.sql", sql)

    def schema(self, **content: Any) -> None:
        self.file("sql/models/schema.yml", yaml.safe_dump(content, sort_keys=False))

    def command(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the command line as a user does."""
        return subprocess.run(
            [*SEG_SQL, *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env={**os.environ, "NO_COLOR": "1", **environment},
            timeout=120,
        )

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start the command line and do not wait for it."""
        return subprocess.Popen(
            [*SEG_SQL, *words],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def existing(self) -> dict[str, Existing]:
        with self.engine() as engine:
            found: dict[str, Existing] = engine.existing()
            return found

    def names(self) -> set[str]:
        """Return the published relations, those of the raw tables left out."""
        return {name for name in self.existing() if not name.startswith("raw_")}

    def hidden(self) -> list[str]:
        return [name for name in self.existing() if name.startswith("seg_tmp_")]

    def values(self, sql: str) -> list[Any]:
        """Return the first column of a query."""
        with self.engine() as engine:
            return [row[0] for row in engine.fetch(sql.replace("$", f"{self.schema_}.")).rows]

    @property
    def schema_(self) -> str:
        return f'"{self.target.schema_}"'

    @property
    def statuses(self) -> dict[str, str]:
        """Return how each model of the last run ended."""
        return {event.name: event.status for event in self.log.of(NodeFinished)}

    @property
    def tests(self) -> dict[str, TestFinished]:
        return {event.name: event for event in self.log.of(TestFinished)}

    def artifact(self, name: str) -> Any:
        return json.loads((self.folder / "target" / name).read_text())

    def compiled(self, path: str) -> str:
        return (self.folder / "target" / "compiled" / "sql" / path).read_text()

    def junit(self, path: str) -> ElementTree.Element:
        return ElementTree.parse(self.folder / path).getroot()


def made(shop: BuildShop) -> BuildShop:
    """Return a shop with its six order lines and a seg_sql.yml."""
    shop.load(LINES)
    shop.write()
    return shop


def numbers_of(shop: BuildShop, values: str, **schema: object) -> BuildShop:
    """Return a shop with a model `numbers` of given values, tested by what schema.yml says."""
    shop.seed("given", values)
    shop.model("numbers", "select * from {{ ref('given') }}")
    shop.schema(models=[{"name": "numbers", **schema}])
    return shop
