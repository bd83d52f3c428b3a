"""The macros as a dbt package: a real dbt project gives the same rows as our own rendering."""

from __future__ import annotations

import hashlib
import math
import re
import shutil
from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dbt_environment import run

from seg_sql.engines import open_engine
from seg_sql.profiles import DuckDBTarget
from seg_sql.render import Renderer

pytestmark = [pytest.mark.dbt, pytest.mark.slow]

MACROS = Path(__file__).parents[2] / "macros"
PROJECT = Path(__file__).parent / "project"
# A parameter has no value in dbt, a file belongs to a run, a cut point to a table of its own, and
# rows of parameters are written by a driver. Lists are for the statements of the item algorithms.
NOT_IN_THE_MODEL = {"param", "read_file", "rfm_cut", "clv_rows"} | {
    *("list_of", "set_of", "unnested", "list_size", "some_number", "sieve_of", "sifted")
}


@pytest.fixture(scope="session")
def by_dbt(dbt: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The rows of the model as dbt builds it."""
    folder = tmp_path_factory.mktemp("dbt")
    project = shutil.copytree(PROJECT, folder / "project")
    result = folder / "every_macro.parquet"
    settings = {
        "SEG_SQL_MACROS": str(MACROS),
        "SHOP_DATABASE": str(folder / "shop.duckdb"),
        "SHOP_RESULT": str(result),
    }
    for command in ("deps", "build"):
        run(
            [str(dbt), command, "--project-dir", str(project), "--profiles-dir", str(project)],
            **settings,
        )
    return rows(f"select * from read_parquet('{result}') order by place")


@pytest.fixture(scope="session")
def by_us() -> list[dict[str, Any]]:
    """The rows of the model as we render it."""
    project: Any = SimpleNamespace(
        dir=PROJECT,
        macros=tuple(sorted(MACROS.glob("*.sql"))),
        template_vars=lambda: {"as_of": "2011-12-10"},
    )
    template = (PROJECT / "models" / "every_macro.sql").read_text("utf-8")
    sql = Renderer(project, "duckdb").render(template, "every_macro.sql").sql
    return rows(f"select * from ({sql}) as every_macro order by place")


def rows(query: str) -> list[dict[str, Any]]:
    engine = open_engine(DuckDBTarget(path=":memory:"))
    try:
        return engine.fetch(query).dicts()
    finally:
        engine.close()


def test_dbt_builds_the_same_rows(by_dbt, by_us):
    assert by_dbt == by_us


def test_dbt_builds_the_values_computed_by_hand(by_dbt):
    first, second, third = by_dbt

    assert first['The "Id"'] == 7
    assert first["literal_sum"] == pytest.approx(-1.9, rel=1e-15)
    assert first["literal_text"] == "it's a \\ backslash"
    assert [row["ratio"] for row in by_dbt] == [0.4, None, pytest.approx(-6e6, rel=1e-12)]
    assert [row["rounded"] for row in by_dbt] == [2.5, 0, -0.000001]
    assert [row["whole"] for row in by_dbt] == [3, 0, 0]
    assert first["exponential"] == pytest.approx(math.exp(700))
    # ln(gamma(3/2)) = ln(sqrt(pi) / 2).
    assert first["log_gamma"] == pytest.approx(math.log(math.sqrt(math.pi) / 2), rel=1e-13)
    digest = hashlib.md5(b"42:7").hexdigest()
    assert first["draw"] == int(digest[:13], 16) / 2**52
    assert [row["read_number"] for row in by_dbt] == [1234.5, -3, 100]
    assert first["read_moment"] == datetime(2026, 12, 31, 22, 30)
    assert [row["read_day"].year for row in by_dbt] == [2001, 2002, 2003]
    assert first["as_of"] == date(2011, 12, 10)
    assert [row["days"] for row in by_dbt] == [10, -81, 4726]
    assert [row["months_passed"] for row in by_dbt] == [1, -2, 155]
    assert second["month_later"] == date(2012, 4, 1)
    assert third["month_label"] == "1999-01"
    assert (first["places"], first["ids"], first["months"]) == (6, "10, 7, 9", 12)
    # Three labels and days.
    assert first["parts"] == 3


def test_every_macro_is_in_the_model_or_in_another_macro():
    texts = [path.read_text("utf-8") for path in sorted(MACROS.glob("*.sql"))]
    model = (PROJECT / "models" / "every_macro.sql").read_text("utf-8")
    macros = {name for text in texts for name in re.findall(r"{%-? macro (\w+)\(", text)}
    used = {name for text in [*texts, model] for name in re.findall(r"seg_sql\.(\w+)\(", text)}

    assert len(macros) > 30
    # Those of KMeans write parts of its own statements, and serve nobody else.
    others = {name for name in macros - used if "__" not in name and not name.startswith("kmeans_")}
    assert others <= NOT_IN_THE_MODEL
