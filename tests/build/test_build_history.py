"""customer_segment_history: written with its sources, kept for ever, whole at every moment."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from build_shop import BuildShop
from kept_segments import APRIL, MARCH, NO_CLUSTERS, history, published, published_of

from seg_sql.errors import StartError
from seg_sql.events import Said
from seg_sql.explain import customer
from seg_sql.inputs import Limits
from seg_sql.session import Settings


@pytest.fixture
def shop(shop: BuildShop) -> BuildShop:
    shop.write(models=NO_CLUSTERS)
    return shop


def test_written_with_its_sources(shop: BuildShop) -> None:
    shop.build("+rfm", vars=MARCH)
    first = published_of(shop, "rfm")
    assert history(shop) == first
    # By hand: before March ann and bob have bought, eve has not.
    assert {row[2] for row in first} == {"ann", "bob"}
    shop.build(vars=APRIL)
    second = published(shop)
    assert {row[2] for row in second} == {"ann", "bob", "eve"}
    assert history(shop) == first | second
    assert "segment_cut_points" in shop.names()


def test_building_an_as_of_again_replaces_that_one_only(shop: BuildShop) -> None:
    for day in (MARCH, APRIL):
        shop.build(vars=day)
    april = {row for row in history(shop) if row[0] == "2026-04-01"}
    # A late line: eve has bought in February as well.
    shop.execute(
        f"insert into {shop.raw('raw')} (customer_id, order_id, ordered_at, item_id, quantity,"
        " unit_price) values ('eve', '7', '2026-02-10', 'pot', 1, 500)"
    )
    shop.build(vars=MARCH)
    march = published(shop)
    assert {row[2] for row in march} == {"ann", "bob", "eve"}
    assert history(shop) == march | april


def test_survives_a_full_refresh(shop: BuildShop) -> None:
    shop.build(vars=MARCH)
    march = history(shop)
    shop.build(vars=APRIL, full_refresh=True)
    assert history(shop) == march | published(shop)


def test_history_keep(shop: BuildShop) -> None:
    for day in ("2026-02-10", "2026-03-01", "2026-03-15"):
        shop.build(vars={"as_of": day})
    # One month before 1 April is 1 March: that day stays.
    shop.build(vars={**APRIL, "history_keep": 1})
    assert {row[0] for row in history(shop)} == {"2026-03-01", "2026-03-15", "2026-04-01"}
    dates = {str(row["as_of"]) for row in shop.rows("segment_cut_points")}
    assert dates == {"2026-03-01", "2026-03-15", "2026-04-01"}


def test_a_part_of_the_rows_is_not_kept(shop: BuildShop) -> None:
    shop.build(vars=APRIL)
    before = history(shop)
    shop.build(vars=APRIL, limits=Limits(empty=True))
    assert history(shop) == before
    shop.build(vars=APRIL, limits=Limits(sample=0.99))
    assert history(shop) == before


def test_no_history_where_it_is_switched_off(shop: BuildShop) -> None:
    shop.write(models={"customer_segment_history": {"enabled": False}, **NO_CLUSTERS})
    shop.build()
    assert not {"customer_segment_history", "segment_moves"} & shop.names()


@pytest.mark.parametrize("publish", ["together", "copy"])
def test_published_together(shop: BuildShop, publish: str) -> None:
    """Moves are counted before anything is published, and are the same as one by one."""
    if shop.is_postgres and publish == "copy":
        publish = "together"
    for day in (MARCH, APRIL):
        shop.build(vars=day)
    wanted, moves = history(shop), shop.rows("segment_moves", order="3, 4, 5, 6")
    assert moves
    shop.execute(f"drop table {shop.schema_}.customer_segment_history")
    shop.execute(f"drop table {shop.schema_}.segment_cut_points")
    shop.write(publish=publish, models=NO_CLUSTERS)
    for day in (MARCH, APRIL):
        shop.build(vars=day)
    assert history(shop) == wanted
    assert shop.rows("segment_moves", order="3, 4, 5, 6") == moves
    # Nothing is published when a model fails, and nothing is kept.
    shop.model("broken", "select cast('x' as integer) as x")
    assert shop.run("build", vars={"as_of": "2026-04-15"}) == 1
    assert history(shop) == wanted
    assert shop.hidden() == []


@pytest.mark.parametrize("publish", ["each", "together"])
def test_merged_customers(shop: BuildShop, publish: str) -> None:
    """ann is eve from now on; eve's own rows win, and where she has none ann's are hers."""
    for day in (MARCH, APRIL):
        shop.build(vars=day)
    before = history(shop)
    shop.load([("ann", "eve")], ("customer_id", "merged_into"), name="map")
    lines = {"relation": shop.raw("raw")}
    shop.write(
        inputs={"order_lines": lines, "customer_map": {"relation": shop.raw("map")}},
        models=NO_CLUSTERS,
        publish=publish,
    )
    shop.build(vars=APRIL)
    said = [each.text for each in shop.log.of(Said) if "merged customers" in each.text]
    # ann had one row of each of two sources in March, and as many in April.
    assert len(said) == 1
    assert said[0].startswith("customer_segment_history: 4 rows of 1 merged customers go to")
    march = {
        (day, source, "eve" if customer == "ann" else customer, segment)
        for day, source, customer, segment in before
        if day == "2026-03-01"
    }
    assert history(shop) == march | published(shop)
    # The moves were counted after the merge: eve is not new, and ann is not gone.
    reasons = {row["reason"] for row in shop.rows("segment_moves")}
    assert reasons and not {"new", "gone"} & reasons
    shop.build(vars=APRIL)
    assert not [each.text for each in shop.log.of(Said) if "merged customers" in each.text]


# Ends the process when a statement is sent that holds a text: before it, or after it.
KILLER = """
import os
from seg_sql.engines.duckdb import DuckDBEngine
from seg_sql.engines.postgres import PostgresEngine

def killing(send):
    def killed(self, sql, *given, **named):
        hit = os.environ["KILL_AT"] in sql
        if hit and os.environ["KILL_WHEN"] == "before":
            os._exit(9)
        result = send(self, sql, *given, **named)
        if hit:
            os._exit(9)
        return result
    return killed

for engine in (DuckDBEngine, PostgresEngine):
    engine.send = killing(engine.send)
from seg_sql.cli import main
main()
"""


@pytest.mark.parametrize(
    ("at", "when", "publish"),
    [
        ("insert into", "before", "each"),
        ("insert into", "after", "each"),
        ("insert into", "after", "together"),
        ('rename to "rfm"', "before", "each"),
        ('rename to "rfm"', "after", "each"),
        ('rename to "rfm"', "after", "together"),
        ('comment on table {schema}."rfm" is', "after", "each"),
    ],
)
def test_killed_while_publishing(shop: BuildShop, at: str, when: str, publish: str) -> None:
    """Whenever it is: rfm and its rows of the history are both of March, or both of April."""
    shop.write(models=NO_CLUSTERS, publish=publish)
    shop.build(vars=MARCH)
    before: dict[str, Any] = {"history": history(shop), "rfm": shop.rows("rfm")}
    history_table = f'{shop.schema_}."customer_segment_history"'
    text = f"insert into {history_table}" if at == "insert into" else at
    done = subprocess.run(
        [sys.executable, "-c", KILLER, "build", "--vars", "{as_of: 2026-04-01}", "-s", "+rfm"],
        cwd=shop.folder,
        env={
            **os.environ,
            "KILL_AT": text.format(schema=shop.schema_),
            "KILL_WHEN": when,
        },
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 9, done.stderr.decode()
    assert history(shop) == before["history"]
    assert shop.rows("rfm") == before["rfm"]
    shop.build("+rfm", vars=APRIL, wait=60)
    assert history(shop) == before["history"] | published_of(shop, "rfm")


def test_explain_tells_the_last_segments(shop: BuildShop) -> None:
    for day in (MARCH, APRIL):
        shop.build(vars=day)
    was = {row[0]: row[3] for row in history(shop) if row[1] == "rfm" and row[2] == "ann"}
    said = "\n".join(customer(Settings(project_dir=shop.folder), "ann", lines=5))
    first, second = was["2026-03-01"], was["2026-04-01"]
    assert f"Segments over time: 2026-03-01 {first}, 2026-04-01 {second}." in said
    # eve has only one.
    said = "\n".join(customer(Settings(project_dir=shop.folder), "eve", lines=5))
    assert "over time" not in said


def test_what_is_said_of_it_may_change(shop: BuildShop) -> None:
    """Its comment, and on PostgreSQL who may read it, follow the project without a new row."""
    shop.build(vars=MARCH)
    rows = history(shop)
    mark = "seg-sql:shop:customer_segment_history"
    shop.execute(f"comment on table {shop.schema_}.customer_segment_history is 'Old. {mark}'")
    grants = {"select": ["public"]} if shop.is_postgres else {}
    shop.write(models=NO_CLUSTERS, grants=grants)
    shop.build(vars=MARCH)
    found = shop.existing()["customer_segment_history"].comment
    assert found is not None and found.startswith("Which segment")
    assert history(shop) == rows
    if shop.is_postgres:
        table = f"{shop.schema_}.customer_segment_history"
        granted = "select has_table_privilege('public', '{}', 'select')".format(
            table.replace('"', "")
        )
        assert shop.values(granted) == [True]


def test_rows_that_do_not_fit_the_history(shop: BuildShop) -> None:
    """Nothing is published then, and the message says where the history takes its rows from."""
    shop.build("+rfm", vars=MARCH)
    before, rows = history(shop), shop.rows("rfm")
    shop.model(
        "rfm",
        "select customer_id, {{ seg_sql.as_of() }} as as_of, 1 as recency_days, 'x' as tier"
        " from {{ ref('orders') }} as orders group by customer_id",
    )
    shop.schema(models=[{"name": "rfm", "description": "Mine."}])
    assert shop.run("build", "+rfm", vars=APRIL) == 1
    assert "customer_segment_history: {enabled: false}" in shop.said()
    assert (history(shop), shop.rows("rfm")) == (before, rows)
    # A project that names other segments says so in a file of its own.
    own = """
        {{ config(materialized='history', unique_key=['as_of', 'source', 'customer_id'],
            meta={'sources': ['rfm']}) }}
        select as_of, 'rfm' as source, customer_id, tier as segment
        from {{ ref('rfm') }} as rfm
    """
    shop.file("sql/models/customer_segment_history.sql", own)
    assert shop.run("build", "+rfm", vars=APRIL) == 1
    assert "sql/models/customer_segment_history.sql: customer_segment_history does not" in (
        shop.said()
    )
    shop.file("sql/models/customer_segment_history.sql", own.replace("tier as", "level as"))
    assert shop.run("build", "+rfm", vars=APRIL) == 1
    assert "sql/models/customer_segment_history.sql: customer_segment_history cannot be run" in (
        shop.said()
    )
    shop.file("sql/models/customer_segment_history.sql", own)
    assert shop.run("build", "+rfm", vars=APRIL) == 1
    missing = "cast(null as text) as segment_id"
    assert missing in shop.said()
    assert (history(shop), shop.rows("rfm")) == (before, rows)
    own = own.replace("tier as segment", f"tier as segment, {missing}")
    shop.file("sql/models/customer_segment_history.sql", own)
    shop.build("+rfm", vars=APRIL)
    april = {("2026-04-01", "rfm", each, "x") for each in ("ann", "bob", "eve")}
    assert history(shop) == before | april


def test_sources_that_are_not_built(shop: BuildShop) -> None:
    """The history has the rows of those that are; a model may be left out of a build."""
    shop.write()
    shop.build(exclude=["customer_clusters", "customer_360"], vars=APRIL)
    assert {row[1] for row in history(shop)} == {"rfm", "customer_lifecycle"}
    assert history(shop) == published(shop)
    # Without any of them there is nothing to keep, and the build does not start.
    shop.execute(
        *(
            f"drop table {shop.schema_}.{name}"
            for name in ("rfm", "customer_lifecycle", "customer_segment_history")
        )
    )
    with pytest.raises(StartError, match="customer_segment_history reads"):
        shop.run("build", "customer_segment_history")
