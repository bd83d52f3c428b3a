"""The wheel: what is in it, and that it works where nothing else is installed."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT], check=True
    )
    return next(folder.glob("*.whl"))


@pytest.mark.wheel
def test_the_wheel_holds_sql_macros_and_types(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("sql", "macros"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file():
                assert f"seg_sql/{path.relative_to(ROOT)}" in names
    assert {"seg_sql/py.typed", "seg_sql/cli.py"} <= names
    assert not [name for name in names if name.startswith(("tests/", "bench/", "fixtures/"))]


@pytest.mark.wheel
def test_a_fresh_environment_builds_the_demo(wheel: Path, tmp_path: Path) -> None:
    """Only what the package requires is installed: no PostgreSQL driver, no test tools."""
    environment = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python = environment / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", wheel], check=True)
    command = environment / "bin" / "seg-sql"

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([command, *words], cwd=tmp_path, capture_output=True, text=True)

    assert run("demo", "shop", "--customers", "200").returncode == 0
    done = run("build", "--project-dir", "shop")
    assert done.returncode == 0, done.stderr
    shown = run("show", "rfm_segments", "--project-dir", "shop", "--output", "csv")
    assert shown.stdout.startswith("segment,segment_order,description")
    profiles = "demo: {target: p, outputs: {p: {type: postgres, dbname: x, schema: y}}}\n"
    (tmp_path / "shop" / "profiles.yml").write_text(profiles)
    without = run("build", "--project-dir", "shop")
    assert without.returncode == 2
    assert "pip install 'seg-sql[postgres]'" in without.stderr
