"""The blocks of docs/notebooks.md run as they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from shop import Shop

import seg_sql
from seg_sql.errors import SegSqlError
from seg_sql.profiles import DuckDBTarget

PAGE = (Path(__file__).parents[2] / "docs" / "notebooks.md").read_text("utf-8")
PROJECT, CALL = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def run(block: str, **given: Any) -> dict[str, Any]:
    names = dict(given)
    exec(compile(block, "notebooks.md", "exec"), names)
    return names


def test_a_project(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(shop.folder)

    names = run(PROJECT)

    assert len(names["run"]["rfm"].df()) == 5
    assert "<table" in names["project"]["rfm_segments"]._repr_html_()


def test_a_call(target: Any):
    if isinstance(target, DuckDBTarget):
        import duckdb

        connection: Any = duckdb.connect(target.path)
    else:
        import psycopg

        connection = psycopg.connect(
            host=target.host, port=target.port, user=target.user, dbname=target.dbname
        )
    block = CALL.replace("    vars=", f"    schema={target.schema_!r},\n    vars=")
    with connection:
        connection.execute("create temporary table sales (buyer varchar, day date, total float8)")
        for row in ("'a', '2026-01-01', 10", "'a', '2026-02-01', 5", "'b', '2026-03-01', 7"):
            connection.execute(f"insert into sales values ({row})")
        connection.execute("insert into sales values ('c', '2026-03-01', null)")
        connection.commit()

        result = run(block, connection=connection)["result"]

        # The line of c has no total, and the query leaves it out.
        frame = result.assignments.df().set_index("customer_id")
        assert frame["monetary"].to_dict() == {"a": 15.0, "b": 7.0}
        assert frame["recency_days"].to_dict() == {"a": 59, "b": 31}
        # The columns of the table in the page are those that there are.
        said = re.search(r"\| `seg_sql.rfm` .*\| ([^|]+) \|\n", PAGE)
        assert said is not None
        assert said[1].split(", ") == list(result.tables)
        with pytest.raises(SegSqlError, match="no_such_column") as caught:
            seg_sql.rfm(connection, "select no_such_column from sales", schema=target.schema_)
        assert caught.value.where is None
