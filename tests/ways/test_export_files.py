"""`seg-sql export parquet` and `csv`: the files hold the published rows, with their types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from shop import Shop

from seg_sql.engines import open_engine
from seg_sql.errors import ConfigError, SelectionError
from seg_sql.exporting import export_files
from seg_sql.profiles import DuckDBTarget
from seg_sql.session import Settings

AWKWARD = [
    # A text that is the mark of NULL in a CSV, an empty one, quotes, line ends; NULLs.
    (1, r"\N", True, 1.5),
    (2, "", False, 0.1),
    (3, 'say "hi",\nthen go', None, None),
    (4, None, True, -1e300),
]


def settings(shop: Shop) -> Settings:
    return Settings(project_dir=shop.folder, profiles_dir=shop.folder)


def export(shop: Shop, file_format: Any, folder: Path, *select: str) -> list[str]:
    return list(export_files(settings(shop), file_format, folder, select=select))


def read(query: str) -> Any:
    engine = open_engine(DuckDBTarget(path=":memory:"))
    try:
        return engine.fetch(query), {c.name: c.type for c in engine.describe(query)}
    finally:
        engine.close()


def test_parquet_has_every_published_table_with_its_rows_and_types(shop: Shop, tmp_path: Path):
    shop.build("+rfm_segments")
    folder = tmp_path / "files"

    lines = export(shop, "parquet", folder, "+rfm_segments")

    found, types = read(f"select * from read_parquet('{folder / 'rfm.parquet'}')")
    assert found.dicts() == shop.rows("rfm")
    assert types["customer_id"] == "VARCHAR"
    assert types["as_of"] == types["last_order_date"] == "DATE"
    assert types["r_score"] == "INTEGER"
    assert types["monetary"] == "DOUBLE"
    # Eight of the nine lines have a customer, and all nine are kept.
    assert f"{folder / 'order_lines_clean.parquet'}  9 rows" in lines
    assert (folder / "rfm_segment_map.parquet").is_file()
    # An ephemeral model has no rows of its own, and no half of a file is left.
    assert not list(folder.glob("order_lines_checked*"))
    assert {path.suffix for path in folder.iterdir()} == {".parquet"}


@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_awkward_values_come_through(shop: Shop, tmp_path: Path, file_format: str):
    values = ["number", "word", "flag", "amount"]
    types = {"number": "bigint", "flag": "boolean", "amount": "double precision"}
    shop.load(AWKWARD, values, name="awkward", types=types)
    shop.write(inputs={"words": {"relation": shop.raw("awkward")}})
    models = shop.folder / "sql" / "models"
    models.mkdir(parents=True)
    (models / "awkward.sql").write_text(
        "{{ config(unique_key='number') }}\n"
        "select number, word, flag, amount from {{ input('words') }} as words\n"
    )
    shop.build("awkward")

    export(shop, file_format, tmp_path, "awkward")

    reader = "read_parquet" if file_format == "parquet" else "read_csv"
    options = "" if file_format == "parquet" else ", allow_quoted_nulls = false"
    found, _ = read(f"select * from {reader}('{tmp_path / f'awkward.{file_format}'}'{options})")
    assert found.rows == AWKWARD


def test_csv_is_the_same_text_on_both_engines(shop: Shop, tmp_path: Path):
    shop.build("+rfm_segments")

    export(shop, "csv", tmp_path, "rfm_values")

    # By hand from the orders: days to 2026-04-01, purchases, and money to the cent.
    assert (tmp_path / "rfm_values.csv").read_text("utf-8") == (
        "customer_id,first_order_date,last_order_date,recency,frequency,monetary\n"
        "ann,2026-01-05,2026-02-05,55,2,19.25\n"
        "bob,2026-01-20,2026-03-01,31,2,43.5\n"
        "cid,2026-03-20,2026-03-20,12,1,14.0\n"
        "dee,2026-02-11,2026-03-28,4,2,28.0\n"
        "eve,2026-01-02,2026-01-02,89,1,40.0\n"
    )


def test_what_is_not_built_is_said(shop: Shop, tmp_path: Path):
    with pytest.raises(ConfigError, match="is not built in"):
        export(shop, "csv", tmp_path)
    shop.build("+rfm_values")
    with pytest.raises(ConfigError, match=r"rfm_segments is not built in .* yet"):
        export(shop, "csv", tmp_path, "rfm_segments")
    with pytest.raises(SelectionError):
        export(shop, "csv", tmp_path, "rfm_segmentz")

    lines = export(shop, "csv", tmp_path / "all")

    assert "Not built, and so not exported: " in lines[-1]
    assert "rfm_segments" in lines[-1]


def test_a_folder_that_is_a_file_is_an_error(shop: Shop, tmp_path: Path):
    shop.build("+rfm_values")
    (tmp_path / "taken").write_text("")
    with pytest.raises(ConfigError, match="taken cannot be written"):
        export(shop, "csv", tmp_path / "taken")
