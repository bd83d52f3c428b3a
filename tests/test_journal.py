"""The file in which an interrupted fit keeps its answers."""

from __future__ import annotations

import datetime
import decimal
from pathlib import Path

import pytest

from seg_sql.errors import ModelError
from seg_sql.journal import Journal, read, works


def begun(folder: Path) -> Journal:
    journal = Journal(folder / "clouds.jsonl", "0a1b2c3d", {"k": 3})
    journal.begin()
    return journal


def test_answers_come_back_as_they_were(tmp_path: Path) -> None:
    rows = [
        {"n": 3, "x": 0.1, "none": None, "sum": decimal.Decimal("12.50")},
        {"day": datetime.date(2026, 1, 2), "at": datetime.datetime(2026, 1, 2, 3, 4)},
    ]
    journal = begun(tmp_path)
    journal.keep("rows", "a question", rows)
    journal.keep("table", "rows of a", {"name": "seg_tmp_0a1b2c3d_1", "rows": 7, "lasts": True})
    gone = {"name": "seg_tmp_0a1b2c3d_2", "rows": 7, "lasts": False}
    journal.keep("table", "rows that the connection took along", gone)
    journal.keep("iteration", "1", 1)
    found = read(journal.path)
    assert found is not None
    assert (found.work, found.asked, found.iteration) == ("0a1b2c3d", {"k": 3}, 1)
    assert found.tables == {"seg_tmp_0a1b2c3d_1": 7}
    assert works(tmp_path) == {"0a1b2c3d"}
    assert found.recall("rows", "a question") == (True, rows)
    with pytest.raises(ModelError, match="takes another course"):
        found.recall("table", "rows of b")


def test_what_json_cannot_hold_ends_the_file(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    journal.keep("rows", "a question", [{"x": object()}])
    journal.keep("rows", "another", [])
    assert read(journal.path) is None


def test_a_line_that_was_cut_is_left_out(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    journal.keep("iteration", "1", 1)
    with journal.path.open("a") as file:
        file.write('["rows", "12')
    found = read(journal.path)
    assert found is not None
    assert found.iteration == 1


@pytest.mark.parametrize("text", ["", "{}\n", "no json\n", '{"work": "a", "asked": {}}\n[1]\n[]'])
def test_a_file_that_is_not_ours_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(text)
    assert read(path) is None
