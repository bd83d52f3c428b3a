"""Proposals for the small files of fixtures/init, and for variants of them.

The fixtures have 16 to 19 lines in 8 to 16 orders, made for these tests in the forms that the
named systems export. The expected maps are what a person who reads their headers and rows would
write.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from seg_sql.config import load_project_config
from seg_sql.engines import WORK_PREFIX, Engine, open_engine
from seg_sql.init import init_from_file, write_project
from seg_sql.init.write import Proposal
from seg_sql.profiles import DuckDBTarget

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "init"


@pytest.fixture(scope="module")
def memory() -> Iterator[Engine]:
    """A DuckDB database in memory."""
    with closing(open_engine(DuckDBTarget())) as engine:
        yield engine


@pytest.fixture
def look(memory: Engine, tmp_path: Path) -> Callable[..., tuple[Proposal, dict[str, Any]]]:
    """Return the proposal for a file and its order_lines, both as written and as configured."""

    def look_at(path: Path | str, folder: Path = tmp_path) -> tuple[Proposal, dict[str, Any]]:
        proposal = init_from_file(str(path), folder, "shop", memory)
        write_project(proposal, folder)
        config, _ = load_project_config(folder)
        written = yaml.safe_load((folder / "seg_sql.yml").read_text("utf-8"))
        assert written["name"] == config.name == "shop"
        lines: dict[str, Any] = written["inputs"]["order_lines"]
        assert lines.get("columns", {}) == config.inputs["order_lines"].columns
        assert proposal.columns == lines.get("columns", {})
        assert not [name for name in memory.existing() if name.startswith(WORK_PREFIX)]
        return proposal, lines

    return look_at


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., Path]:
    """Return a copy of a fixture in which patterns are replaced; each of them must be there."""

    def change(name: str, *changes: tuple[str, str]) -> Path:
        text = (FIXTURES / name).read_text("utf-8")
        for old, new in changes:
            assert re.search(old, text, re.M), old
            text = re.sub(old, new, text, flags=re.M)
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return change


@pytest.fixture
def noted() -> Callable[..., str]:
    """Return the one note that has all the words, which file and screen must have as well."""

    def note_with(proposal: Proposal, *words: str) -> str:
        found = [note for note in proposal.notes if all(word in note for word in words)]
        assert len(found) == 1, proposal.notes
        in_file = proposal.files["seg_sql.yml"].replace("#", " ")
        on_screen = "\n".join(proposal.lines).replace("\n  - ", "\n")
        assert found[0].replace("#", "").split() == found[0].split()
        for text in (in_file, on_screen):
            assert " ".join(found[0].split()) in " ".join(text.split())
        return found[0]

    return note_with
