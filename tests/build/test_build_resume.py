"""A fit that was killed goes on after its last finished iteration when it is retried."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from build_shop import BuildShop

from seg_sql import upkeep
from seg_sql.events import Iterated, NodeFinished
from seg_sql.session import Settings
from seg_sql.step import Steps

MODEL = """
    {{ config(materialized='kmeans', unique_key='id', k=6, scaling='none', restarts=2,
        sample_rows=200) }}
    select id, x, y from {{ input('points') }} as points
"""
# After as many iterations the process is killed.
LAST = 5
KILLED = """
import os, signal
from seg_sql.step import Steps
progress = Steps.progress
def killed(self, iteration, *given, **figures):
    progress(self, iteration, *given, **figures)
    if iteration == {last} and {stage!r} in figures.get("stage", ""):
        os.kill(os.getpid(), signal.SIGKILL)
Steps.progress = killed
"""


@pytest.fixture
def clouds(shop: BuildShop) -> BuildShop:
    draw = random.Random(3)
    shop.load(
        [(f"c{n}", draw.gauss(n % 6, 1.2), draw.gauss(n % 4, 1.2)) for n in range(1500)],
        ("id", "x", "y"),
        name="points",
        types={"x": "double precision", "y": "double precision"},
    )
    shop.write(inputs={"points": {"relation": shop.raw("points")}})
    shop.model("clouds", MODEL)
    return shop


def kill(shop: BuildShop, *, after: int = LAST, select: str = "clouds", stage: str = "") -> None:
    """Build in a process of its own, which ends as by kill -9 in the middle of the fit."""
    run_and_kill(shop, KILLED.format(last=after, stage=stage), select)


def run_and_kill(shop: BuildShop, killed: str, select: str) -> None:
    """Build in a process of its own, in which `killed` is run first."""
    main = "\nimport sys\nfrom seg_sql.cli import main\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", killed + main, "build", "-s", select],
        cwd=shop.folder,
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    # On PostgreSQL the lock is given back when the server sees that its client is gone.
    time.sleep(0.5 if shop.is_postgres else 0)


def outputs(shop: BuildShop) -> dict[str, Any]:
    found = {
        part: sorted(shop.rows(f"clouds_{part}"), key=str)
        for part in ("centroids", "profile", "quality", "matches")
    }
    return {**found, "": sorted(shop.rows("clouds"), key=lambda row: row["id"])}


def iterations(shop: BuildShop) -> list[int]:
    return [event.iteration for event in shop.log.of(Iterated)]


def test_retry_goes_on_after_kill_9(clouds: BuildShop) -> None:
    kill(clouds)
    assert clouds.hidden()
    assert clouds.run("retry", wait=20) == 0, clouds.said()
    assert f"goes on with the interrupted fit after iteration {LAST}" in clouds.said()
    # The last line from before is said again, and the next one follows.
    assert iterations(clouds)[:2] == [LAST, LAST + 1]
    assert clouds.hidden() == []
    assert not list((clouds.folder / "target/state").iterdir())
    resumed = outputs(clouds)
    for name in [name for name in clouds.names() if name.startswith("clouds")]:
        clouds.execute(f"drop table {clouds.schema_}.{name}")
    clouds.build("clouds")
    assert iterations(clouds)[0] == 1
    for part, rows in outputs(clouds).items():
        for row, other in zip(rows, resumed[part], strict=True):
            assert row.keys() == other.keys()
            for name, value in row.items():
                near = isinstance(value, float)
                assert value == (pytest.approx(other[name], rel=1e-9) if near else other[name])


KILLED_IN = """
import os, signal
from seg_sql import building, run
run.KEPT_EVERY = 0
select = building._select
def killed(run, node):
    if node.name == {name!r}:
        os.kill(os.getpid(), signal.SIGKILL)
    return select(run, node)
building._select = killed
"""


def test_retry_builds_what_is_left_after_kill_9_between_fits(shop: BuildShop) -> None:
    """Nothing here is long enough to be gone on with; yet what was published is not built again."""
    run_and_kill(shop, KILLED_IN.format(name="rfm"), "+rfm_segments")
    # Of its day is what the killed run has published: the rest may read it.
    recorded = {row["model"] for row in shop.rows("seg_sql_runs")}
    assert {"orders", "rfm_cut_points"} <= recorded
    assert shop.run("retry", wait=20) == 0, shop.said()
    assert set(shop.statuses) == {"rfm", "rfm_segments"}
    assert len(shop.rows("seg_sql_runs")) == len(recorded) + 2


def test_retry_after_kill_9_in_the_first_model(duckdb_shop: BuildShop) -> None:
    shop = duckdb_shop
    shop.build("order_lines_clean")
    run_and_kill(shop, KILLED_IN.format(name="orders"), "orders")
    assert shop.run("retry", wait=20) == 0, shop.said()
    assert set(shop.statuses) == {"orders"}


def test_groups_go_on_after_kill_9(clouds: BuildShop) -> None:
    """One large group is done, and eight small ones share their rounds; one in five is told."""
    draw = random.Random(5)
    clouds.load(
        [
            (f"c{n}", draw.gauss(n % 6, 1.2), draw.gauss(n % 4, 1.2), f"{n % 8 if n < 800 else 9}")
            for n in range(1500)
        ],
        ("id", "x", "y", "country"),
        name="points",
        types={"x": "double precision", "y": "double precision"},
    )
    grouped = MODEL.replace("restarts=2", "restarts=2, group_by='country'")
    clouds.model("clouds", grouped.replace("id, x, y", "id, x, y, country"))
    clouds.build("clouds")
    large = max(each.iteration for each in clouds.log.of(Iterated) if "groups" not in each.stage)
    assert large > 1
    expected = outputs(clouds)
    kill(clouds, after=1, stage=" groups")
    assert clouds.run("retry", wait=20) == 0, clouds.said()
    assert "goes on with the interrupted fit after iteration 1 " in clouds.said()
    # Of the large group no line is said again.
    assert all(" group" in each.stage for each in clouds.log.of(Iterated))
    assert [each["cluster_id"] for each in outputs(clouds)[""]] == [
        each["cluster_id"] for each in expected[""]
    ]


def test_clean_tells_of_an_interrupted_fit(clouds: BuildShop) -> None:
    kill(clouds)
    said = list(upkeep.clean(Settings(clouds.folder, clouds.folder)))
    assert "Dropped the interrupted fit of clouds: the next build begins it anew." in said
    assert clouds.hidden() == []


def test_retry_after_kill_9_on_another_day(clouds: BuildShop) -> None:
    """What the killed build has published is of the new day, and the fit may read it."""
    draw = random.Random(3)
    clouds.load(
        [
            (f"c{n}", f"o{n}", f"2026-0{1 + n % 2}-{10 + n % 17}", draw.gauss(20 + n % 4 * 9, 2))
            for n in range(1500)
        ],
        ("customer_id", "order_id", "ordered_at", "amount"),
        types={"amount": "double precision"},
    )
    values = "select customer_id as id, recency as x, monetary as y from {{ ref('rfm_values') }}"
    clouds.model("clouds", MODEL[: MODEL.index("select")] + values)
    lines = {"order_lines": {"relation": clouds.raw("raw")}}
    clouds.write(inputs=lines, vars={"as_of": "2026-03-01"})
    clouds.build("+clouds")
    clouds.write(inputs=lines, vars={"as_of": "2026-04-01"})
    kill(clouds, select="+clouds")
    assert clouds.run("retry", wait=20) == 0, clouds.said()
    assert [event.name for event in clouds.log.of(NodeFinished)] == ["clouds"]
    assert iterations(clouds)[:2] == [LAST, LAST + 1]
    # Each model is recorded once a run: two runs, and the fit in its retry.
    recorded = clouds.rows("seg_sql_runs")
    assert sorted(row["model"] for row in recorded) == sorted(
        2 * ["order_lines_clean", "orders", "rfm_values", "clouds"]
    )


SLICED = {
    "much": "select 5 * 10000000 as row_count",
    "part": "select id, x from {{ input('points') }} as points",
    "clouds": "select id, x from {{ ref('part') }} as part",
}


def test_slices_go_on_after_kill_9(clouds: BuildShop) -> None:
    """A table that is filled in five slices, killed after the third, with its rows once each."""
    meta = "meta={'slices': {'by': 'id', 'of': ['part'], 'rows': 'much'}}"
    for name, select in SLICED.items():
        config = f"materialized='table', {meta}" if name == "clouds" else "materialized='ephemeral'"
        clouds.model(name, f"{{{{ config({config}) }}}}\n{select}")
    kill(clouds, after=3)
    assert clouds.run("retry", wait=20) == 0, clouds.said()
    assert "goes on with the interrupted table after iteration 3" in clouds.said()
    assert iterations(clouds) == [3, 4, 5]
    assert clouds.hidden() == []
    [node] = clouds.log.of(NodeFinished)
    rows = clouds.rows("clouds")
    assert node.rows == len(rows) == len({row["id"] for row in rows}) == 1500


def test_retry_knows_of_a_fit_that_was_killed_before_the_last_run(clouds: BuildShop) -> None:
    """That run has dropped the work tables, so the fit begins anew, and what reads it follows."""
    clouds.model("other", "select 1 as n")
    clouds.model("reader", "select count(*) as n from {{ ref('clouds') }}")
    kill(clouds)
    assert clouds.run("build", "other", wait=20) == 0
    assert clouds.run("retry", wait=20) == 0, clouds.said()
    assert [node.name for node in clouds.log.of(NodeFinished)] == ["clouds", "reader"]
    assert iterations(clouds)[0] == 1
    assert clouds.run("retry") == 0
    assert "left nothing to retry" in clouds.said()


@pytest.mark.parametrize("change", ["rows", "options"])
def test_another_fit_begins_anew(clouds: BuildShop, change: str) -> None:
    """Where a row has come, or an option is another, the answers from before are of no use."""
    kill(clouds)
    if change == "rows":
        clouds.execute(f"insert into {clouds.raw('points')} values ('new', 1, 1)")
    else:
        clouds.model("clouds", MODEL.replace("k=6", "k=5"))
    assert clouds.run("retry", wait=20) == 0
    assert "goes on with" not in clouds.said()
    assert iterations(clouds)[0] == 1
    assert clouds.hidden() == []
    [node] = clouds.log.of(NodeFinished)
    assert node.rows == (1501 if change == "rows" else 1500)


def test_a_build_begins_anew(clouds: BuildShop) -> None:
    kill(clouds)
    assert clouds.run("build", "clouds", wait=20) == 0
    assert iterations(clouds)[0] == 1
    assert clouds.hidden() == []


def test_ctrl_c_leaves_the_fit_to_retry(clouds: BuildShop, monkeypatch: pytest.MonkeyPatch) -> None:
    progress = Steps.progress

    def interrupted(self: Steps, iteration: int, *given: Any, **figures: Any) -> None:
        progress(self, iteration, *given, **figures)
        if iteration == LAST:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Steps, "progress", interrupted)
        with pytest.raises(KeyboardInterrupt):
            clouds.run("build", "clouds")
    assert clouds.run("retry") == 0
    assert iterations(clouds)[:2] == [LAST, LAST + 1]


def test_a_work_table_that_was_lost_begins_anew(clouds: BuildShop) -> None:
    """As after a crash of the server, which empties unlogged tables."""
    if not clouds.is_postgres:
        pytest.skip("DuckDB makes them again: they are temporary")
    kill(clouds)
    [state] = (clouds.folder / "target/state").iterdir()
    tables = [
        json.loads(line)[2] for line in state.read_text().splitlines()[1:] if '"table"' in line
    ]
    name = next(table["name"] for table in tables if table["rows"])
    with clouds.engine(wait=20) as engine:
        engine.execute(f"delete from {engine.relation(name)}")
    assert clouds.run("retry", wait=20) == 0
    assert iterations(clouds)[0] == 1


def test_work_tables_that_come_out_otherwise_end_the_retry(clouds: BuildShop) -> None:
    """Should a table that DuckDB makes again have other rows than the answers from before speak of."""
    if clouds.is_postgres:
        pytest.skip("its work tables outlive the connection")
    kill(clouds)
    [state] = (clouds.folder / "target/state").iterdir()
    lines = [json.loads(line) for line in state.read_text().splitlines()]
    table = next(line for line in lines[1:] if line[0] == "table" and not line[2]["lasts"])
    table[2]["rows"] += 1
    state.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert clouds.run("retry", wait=20) == 1
    assert "The interrupted fit cannot be continued" in clouds.said()
    assert clouds.run("build", "clouds", wait=20) == 0


def test_a_line_that_was_cut_is_left_out(clouds: BuildShop) -> None:
    kill(clouds)
    [state] = (clouds.folder / "target/state").iterdir()
    text = state.read_text()
    Path(state).write_text(text[: text.rindex("[") + 9])
    assert clouds.run("retry", wait=20) == 0
    assert iterations(clouds)[0] == LAST
