"""What docs/bi.md says of reading the tables while builds go on."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from few_orders import ORDERS
from shop import COLUMNS, Shop

from seg_sql.errors import DatabaseError, StartError
from seg_sql.profiles import DuckDBTarget, PostgresTarget

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "bi.md").read_text("utf-8")
YAML = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
SQL = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)

LATER = ("new", "11", "2026-03-31 10:00", "pot", 1, 40.0)

READER = """
import duckdb, sys
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    count = lambda: connection.execute("select count(*) from seg_sql.rfm").fetchone()[0]
    print(count(), flush=True)
    sys.stdin.readline()
    print(count(), flush=True)
"""


def read_in_other_process(path: str) -> subprocess.Popen[str]:
    """Start a dashboard: it reads, and holds the file until it is sent a line."""
    return subprocess.Popen(
        [sys.executable, "-c", READER, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def shop_on(folder: Path, target: Any, **project: Any) -> Shop:
    shop = Shop(folder, target)
    shop.load(ORDERS)
    shop.write(vars={"as_of": "2026-04-01"}, **project)
    return shop


def test_the_role_of_a_dashboard_reads_and_writes_nothing(
    tmp_path: Path, postgres_target: PostgresTarget, role: Callable[..., str]
):
    grants = next(block for block in YAML if "grants" in block)
    assert grants == {"grants": {"select": ["bi"]}}
    bi = role()
    database = postgres_target.dbname
    create = next(block for block in SQL if "create role" in block).split(";")
    (searching,) = (statement.strip() for statement in create if "search_path" in statement)
    assert searching == "alter role bi in database shop set search_path to seg_sql"
    shop = shop_on(tmp_path / "project", postgres_target, grants={"select": [bi]})
    shop.build("+rfm_segments")
    with shop.engine() as engine:
        schema = engine.quote(postgres_target.schema_)
        words = {"role bi": f"role {bi}", "database shop": f"database {engine.quote(database)}"}
        for word, ours in {**words, "to seg_sql": f"to {schema}"}.items():
            searching = searching.replace(word, ours)
        engine.execute(searching)
    dashboard = Shop(tmp_path, postgres_target.model_copy(update={"user": bi}))
    assert len(dashboard.rows("rfm")) == 5
    # A question runs as it is, in a new session of the role.
    with dashboard.engine() as engine:
        question = DOCS / "questions" / "01_segments.sql"
        asked = engine.fetch(question.read_text("utf-8")).dicts()
    assert sum(row["customers"] for row in asked) == 5

    with shop.engine() as engine:
        engine.insert("raw_raw", COLUMNS, [LATER])
    shop.build("+rfm_segments")

    assert len(dashboard.rows("rfm")) == 6
    with dashboard.engine() as engine, pytest.raises(DatabaseError, match="permission denied"):
        engine.execute(f"delete from {engine.relation('rfm')}")
    with shop.engine() as engine:
        comment = engine.fetch(
            "select col_description(cast(%(rfm)s as regclass), 1)",
            {"rfm": engine.relation("rfm")},
        )
    assert comment.rows == [("The customer.",)]


def test_publish_copy_builds_while_a_dashboard_reads(tmp_path: Path):
    target = DuckDBTarget(path=str(tmp_path / "shop.duckdb"))
    copying = next(block for block in YAML if "publish" in block)
    shop = shop_on(tmp_path / "project", target)
    shop.build("+rfm_segments")
    # The raw rows of the next day are there before anybody reads.
    shop.load([*ORDERS, LATER])

    with read_in_other_process(target.path) as dashboard:
        assert dashboard.stdin is not None and dashboard.stdout is not None
        assert dashboard.stdout.readline() == "5\n"
        with pytest.raises(StartError, match="is in use by"):
            shop.run("build", "+rfm_segments")
        shop.write(vars={"as_of": "2026-04-01"}, **copying)
        shop.build("+rfm_segments")
        # What it has open is as it was; opened again it is new.
        dashboard.stdin.write("\n")
        dashboard.stdin.flush()
        assert dashboard.stdout.readline() == "5\n"
    assert len(shop.rows("rfm")) == 6


def test_the_format_of_the_file_and_reading_it_from_elsewhere(tmp_path: Path):
    profile = next(block for block in YAML if "shop" in block)
    output = profile["shop"]["outputs"]["prod"]
    target = DuckDBTarget.model_validate({**output, "path": str(tmp_path / "shop.duckdb")})
    shop = shop_on(tmp_path / "project", target)
    shop.build("+rfm_segments")

    (attach,) = (block for block in SQL if "attach" in block)
    statements = attach.replace("shop.duckdb", target.path).split(";")
    elsewhere = Shop(tmp_path, DuckDBTarget(path=":memory:"))
    with elsewhere.engine() as engine:
        engine.execute(statements[0])
        tags = engine.fetch("select tags from duckdb_databases() where database_name = 'shop'")
        found = engine.fetch(statements[1])
    assert "v1.4.0" in tags.rows[0][0]["storage_version"]
    assert sum(row[1] for row in found.rows) == 5
