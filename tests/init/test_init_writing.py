"""The files that `seg-sql init` writes, only where there are none."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

import seg_sql.init as init_
from seg_sql.config import load_project_config
from seg_sql.engines import Engine
from seg_sql.errors import ConfigError
from seg_sql.init import write as init_write
from seg_sql.init.write import Proposal

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "init"


def test_nothing_is_overwritten(tmp_path: Path, look: Any) -> None:
    proposal, _ = look(FIXTURES / "retail.csv")
    (tmp_path / "seg_sql.yml").write_text("mine", "utf-8")
    with pytest.raises(ConfigError, match=r"There is a seg_sql\.yml already"):
        init_.write_project(proposal, tmp_path)
    with pytest.raises(ConfigError, match=r"There is a seg_sql\.yml already"):
        list(init_.init(str(FIXTURES / "retail.csv"), project_dir=tmp_path))
    assert (tmp_path / "seg_sql.yml").read_text("utf-8") == "mine"


def test_all_files_are_written_or_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    proposal = Proposal("shop", {}, {}, (), (), {"seg_sql.yml": "a: 1\n", "profiles.yml": "b: 1\n"})
    # One of the two exists, or is a link that leads nowhere.
    (tmp_path / "profiles.yml").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match=r"profiles\.yml"):
        init_.write_project(proposal, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["profiles.yml"]
    (tmp_path / "profiles.yml").unlink()
    # The second appears while the first is written, and the disk fills up.
    real = init_write._write_new
    for error in (ConfigError("There is one."), OSError(28, "No space left on device")):

        def write(path: Path, text: str, error: Exception = error) -> None:
            if path.name == "profiles.yml":
                raise error
            real(path, text)

        monkeypatch.setattr(init_write, "_write_new", write)
        with pytest.raises(ConfigError) as raised:
            init_.write_project(proposal, tmp_path)
        assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    assert str(raised.value) == (
        f"{tmp_path}: seg_sql.yml and profiles.yml cannot be written: No space left on device."
        "\n  Choose a folder of yours with --project-dir, and run seg-sql there."
    )
    mask = os.umask(0o022)
    try:
        written = init_.write_project(proposal, tmp_path)
    finally:
        os.umask(mask)
    assert written == [tmp_path / "seg_sql.yml", tmp_path / "profiles.yml"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["profiles.yml", "seg_sql.yml"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o644}


def test_a_file_that_appears_at_the_last_moment_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "seg_sql.yml"
    path.write_text("mine", "utf-8")
    with pytest.raises(ConfigError):
        init_write._write_new(path, "ours")
    assert [(p.name, p.read_text("utf-8")) for p in tmp_path.iterdir()] == [("seg_sql.yml", "mine")]


@pytest.mark.parametrize(
    ("folder", "name"),
    [("My Shop 2", "my_shop_2"), ("2026", "shop"), ("été", "t"), ("x" * 50, "x" * 40)],
)
def test_the_project_is_called_like_its_folder(
    folder: str, name: str, memory: Engine, tmp_path: Path
) -> None:
    proposal = init_.init_from_file(str(FIXTURES / "retail.csv"), tmp_path / folder, None, memory)
    assert proposal.name == name
    init_.write_project(proposal, tmp_path / folder)
    assert load_project_config(tmp_path / folder)[0].name == name


def test_a_file_in_one_call(tmp_path: Path) -> None:
    lines = list(init_.init(str(FIXTURES / "german.csv"), name="laden", project_dir=tmp_path))
    assert lines[0].startswith("Looked at 17 lines of ")
    assert lines[-1] == f"Wrote {tmp_path / 'seg_sql.yml'}. Next: seg-sql build"
    assert load_project_config(tmp_path)[0].inputs["order_lines"].decimal_comma
    with pytest.raises(ConfigError, match="names no database"):
        list(init_.init("sales.csv", table="public.sales", project_dir=tmp_path))
