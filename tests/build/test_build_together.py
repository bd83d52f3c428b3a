"""All or nothing: `publish: together` in one transaction, `publish: copy` in one file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from build_shop import BASE, BuildShop

from seg_sql.errors import SegSqlError, StartError

MODELS = ("given", "base_view", "view_on_view", "totals")


def together(shop: BuildShop, how: str = "together") -> BuildShop:
    """A seed, a view of it, a view of the view, and a table of that."""
    shop.write(publish=how)
    shop.seed("given", "n\n1\n2\n")
    view = "{{ config(materialized='view') }}\n"
    shop.model("base_view", f"{view}select n from {{{{ ref('given') }}}}")
    shop.model("view_on_view", f"{view}select n + 1 as n from {{{{ ref('base_view') }}}}")
    shop.model("totals", "select sum(n) as total from {{ ref('view_on_view') }}")
    return shop


def test_everything_is_published_at_the_end(shop: BuildShop) -> None:
    together(shop).build(*MODELS)
    # 1 + 1 + 2 + 1.
    assert shop.values("select total from $totals") == [5]
    assert shop.values("select n from $view_on_view order by 1") == [2, 3]
    shop.seed("given", "n\n10\n")
    shop.build(*MODELS)
    assert shop.values("select total from $totals") == [11]
    assert shop.values("select n from $view_on_view") == [11]
    assert shop.hidden() == []


def test_the_packaged_models_with_their_view(shop: BuildShop) -> None:
    shop.write(publish="together")
    shop.build(*BASE)
    shop.build(*BASE)
    assert len(shop.rows("rfm")) == 3
    # All six lines, the guest's too.
    assert shop.values("select count(*) from $order_lines_clean") == [6]
    assert shop.hidden() == []
    # 9 + 3 + 40 + 30 + 30 by customers, 6 by the guest.
    assert "read 118 = kept 112 + no customer 6" in shop.said()


def test_one_failure_publishes_nothing(shop: BuildShop) -> None:
    together(shop).build(*MODELS)
    shop.seed("given", "n\n10\n")
    shop.model("zz_wrong", "select no_such_column from {{ ref('totals') }}")
    assert shop.run("build", *MODELS, "zz_wrong") == 1
    assert shop.values("select n from $given order by 1") == [1, 2]
    assert shop.values("select total from $totals") == [5]
    assert shop.hidden() == []
    assert "Nothing is published, because a model failed (publish: together)." in shop.said()
    # What was built and is not published is no success: in no record of it.
    statuses = {
        result["unique_id"].rpartition(".")[2]: result["status"]
        for result in shop.artifact("run_results.json")["results"]
        if result["unique_id"].startswith(("model.", "seed."))
    }
    assert statuses == {**dict.fromkeys(MODELS, "skipped"), "zz_wrong": "error"}
    assert shop.finished.skipped == 4
    run = shop.artifact("run_results.json")["metadata"]["invocation_id"]
    recorded = shop.values(
        f"select distinct status from $seg_sql_runs where run_id = '{run}' order by 1"
    )
    assert recorded == ["error", "skipped"]
    # So that retry builds all of it.
    shop.model("zz_wrong", "select total from {{ ref('totals') }}")
    assert shop.run("retry") == 0
    assert shop.statuses == dict.fromkeys((*MODELS, "zz_wrong"), "success")
    assert shop.values("select total from $zz_wrong") == [11]


def test_a_failed_test_publishes_nothing(shop: BuildShop) -> None:
    together(shop).build(*MODELS)
    shop.singular("small", "select total from {{ ref('totals') }} where total > 5")
    shop.seed("given", "n\n10\n")
    assert shop.run("build", *MODELS) == 1
    assert shop.values("select n from $given order by 1") == [1, 2]


def test_compiled_sql_runs_by_hand(shop: BuildShop) -> None:
    """It names what readers see, although it ran on hidden relations."""
    together(shop).build(*MODELS)
    for path in ("models/totals.sql", "models/view_on_view.sql", "tests/not_empty_totals.sql"):
        text = shop.compiled(path)
        assert "seg_tmp_" not in text
        shop.values(text)
    assert shop.values(shop.compiled("models/totals.sql")) == [5]


def test_a_publication_that_the_database_refuses(postgres_shop: BuildShop) -> None:
    """A role that does not exist: one error, nothing published, nothing left."""
    shop = together(postgres_shop)
    shop.build(*MODELS)
    shop.write(publish="together", grants={"select": ["no_such_role"]})
    shop.seed("given", "n\n10\n")
    assert shop.run("build", *MODELS) == 1
    assert shop.values("select n from $given order by 1") == [1, 2]
    assert 'role "no_such_role" does not exist' in shop.said()
    assert shop.finished.failed == 1
    assert shop.hidden() == []
    shop.write(publish="together")
    assert shop.run("retry") == 0
    assert shop.values("select n from $given") == [10]


READER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
print(*connection.execute("select total from seg_sql.totals").fetchone(), flush=True)
sys.stdin.readline()
print(*connection.execute("select total from seg_sql.totals").fetchone(), flush=True)
"""


@contextmanager
def reader(shop: BuildShop) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the file open for reading, and has read 5 from it."""
    process = subprocess.Popen(
        [sys.executable, "-c", READER, shop.target.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "5\n"
            yield process
        finally:
            process.kill()


def files(shop: BuildShop) -> set[str]:
    return {path.name for path in Path(shop.target.path).parent.glob("test.duckdb*")}


def test_copy_does_not_disturb_a_reader(duckdb_shop: BuildShop) -> None:
    shop = together(duckdb_shop, "copy")
    shop.build(*MODELS)
    assert files(shop) == {"test.duckdb"}
    with reader(shop) as process:
        # The reader holds the file: this build works beside it.
        shop.seed("given", "n\n10\n")
        shop.build(*MODELS)
        # What it has open is the old file; whoever opens it now gets the new one.
        assert process.communicate("\n", timeout=60)[0] == "5\n"
    assert shop.values("select total from $totals") == [11]
    assert files(shop) == {"test.duckdb"}


def test_without_copy_a_reader_stops_the_build(duckdb_shop: BuildShop) -> None:
    shop = together(duckdb_shop)
    shop.build(*MODELS)
    with (
        reader(shop) as process,
        pytest.raises(StartError, match=rf"in use by process {process.pid} "),
    ):
        shop.run("build", *MODELS)


def test_copy_of_a_failed_build_shows_the_old_rows(duckdb_shop: BuildShop) -> None:
    shop = together(duckdb_shop, "copy")
    shop.build(*MODELS)
    shop.seed("given", "n\n10\n")
    shop.model("zz_wrong", "select no_such_column from {{ ref('totals') }}")
    assert shop.run("build", *MODELS, "zz_wrong") == 1
    assert shop.values("select n from $given order by 1") == [1, 2]
    assert shop.values("select total from $totals") == [5]
    assert files(shop) == {"test.duckdb"}
    assert shop.hidden() == []


def test_copy_of_a_build_that_breaks_off_is_thrown_away(
    duckdb_shop: BuildShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = together(duckdb_shop, "copy")
    shop.build(*MODELS)
    before = Path(shop.target.path).read_bytes()

    def broken(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("seg_sql.building._select", broken)
    with pytest.raises(KeyboardInterrupt):
        shop.run("build", *MODELS)
    assert Path(shop.target.path).read_bytes() == before
    assert files(shop) == {"test.duckdb"}


def test_copy_is_not_for_postgres(postgres_shop: BuildShop) -> None:
    shop = together(postgres_shop, "copy")
    with pytest.raises(SegSqlError, match=r"seg_sql\.yml:\d+: publish: copy is for DuckDB files"):
        shop.run("build", *MODELS)
