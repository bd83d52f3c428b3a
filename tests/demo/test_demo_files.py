"""The files of a demo project: what is in them, and that none is overwritten."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from demo_shop import TRUTH, Shop, in_memory

from seg_sql import demo as demo_module
from seg_sql.config import load_project_config
from seg_sql.demo import Truth, demo, generate, write_project
from seg_sql.engines import Engine, open_engine
from seg_sql.errors import ConfigError, DatabaseError


def test_true_parameters_are_written_as_they_were_drawn(shop: Shop) -> None:
    written = yaml.safe_load((shop.data.folder / "true_parameters.yml").read_text())
    assert written == shop.data.parameters
    assert written["bg_nbd"] == {"r": TRUTH.r, "alpha": TRUTH.alpha, "a": TRUTH.a, "b": TRUTH.b}
    assert written["gamma_gamma"] == {"p": TRUTH.p, "q": TRUTH.q, "v": TRUTH.v}
    assert (written["seed"], written["time_unit"]) == (1, "week")
    assert written["last_day"] == date(2026, 6, 30)


def test_other_parameters_can_be_drawn(tmp_path: Path) -> None:
    engine = in_memory()
    # Without repeat purchases, guests or refunds: an order for each customer.
    truth = Truth(alpha=1e9, guests_per_customer=0, refund_share=0, returns_all_share=0)
    data = generate(engine, tmp_path, customers=300, truth=truth)
    engine.close()
    assert data.parameters["bg_nbd"]["alpha"] == 1e9
    counts = data.parameters["counts"]
    assert (counts["orders"], counts["guest_orders"], counts["refund_lines"]) == (300, 0, 0)


def test_the_project_reads_the_files(tmp_path: Path) -> None:
    data = demo(tmp_path / "shop", customers=20, seed=3)
    assert sorted(path.name for path in (tmp_path / "shop").iterdir()) == ["data", "seg_sql.yml"]
    assert sorted(path.name for path in data.folder.iterdir()) == [
        "customers.parquet",
        "items.parquet",
        "order_lines.parquet",
        "true_parameters.yml",
    ]
    config, _ = load_project_config(tmp_path / "shop")
    assert config.name == "demo"
    assert config.vars["as_of"] == data.parameters["last_day"] + timedelta(1)
    engine = in_memory()
    for name, path in data.files.items():
        entry = config.inputs[name]
        assert (tmp_path / "shop" / str(entry.path)).samefile(path)
        columns = {column.name for column in engine.describe(f"select * from '{path}'")}
        assert {*entry.columns.values(), *entry.attributes} <= columns
    engine.close()


@pytest.mark.parametrize("name", ["seg_sql.yml", "data/items.parquet", "data/true_parameters.yml"])
def test_a_file_is_never_overwritten(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigError) as error:
        demo(tmp_path, customers=5)
    assert error.value.where == str(path)
    assert error.value.hint is not None
    assert path.read_text() == "mine"
    assert sorted(tmp_path.rglob("*")) == before


def test_the_project_file_alone_is_never_overwritten(tmp_path: Path) -> None:
    assert write_project(tmp_path) == tmp_path / "seg_sql.yml"
    with pytest.raises(ConfigError, match="exists already"):
        write_project(tmp_path)


def test_a_folder_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "shop").write_text("")
    with pytest.raises(ConfigError, match="cannot be made"):
        demo(tmp_path / "shop", customers=5)


def test_a_demo_needs_a_customer(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at least one customer"):
        demo(tmp_path, customers=0)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        """An engine whose disk is full when the last file is written."""

        def __init__(self, engine: Engine) -> None:
            self.engine = engine

        def __getattr__(self, name: str) -> Any:
            return getattr(self.engine, name)

        def fetch(self, sql: str) -> Any:
            if "items.parquet" in sql:
                raise DatabaseError("The disk is full.")
            return self.engine.fetch(sql)

    monkeypatch.setattr(demo_module, "open_engine", lambda target: Full(open_engine(target)))
    with pytest.raises(DatabaseError, match="full"):
        demo(tmp_path, customers=5)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
