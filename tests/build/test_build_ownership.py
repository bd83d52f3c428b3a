"""What is not ours is never replaced and never dropped."""

from __future__ import annotations

import pytest
from build_shop import BASE, BuildShop

from seg_sql import upkeep
from seg_sql.errors import StartError
from seg_sql.session import Settings


def refused(shop: BuildShop) -> StartError:
    before = shop.names()
    with pytest.raises(StartError) as raised:
        shop.run("build", *BASE)
    assert raised.value.exit_code == 2
    # Nothing has started: neither a relation nor an artifact is there.
    assert shop.names() == before
    assert not (shop.folder / "target" / "run_results.json").exists()
    return raised.value


@pytest.mark.parametrize("made", ["table $rfm (a integer)", "view $orders as select 1 as a"])
def test_a_relation_without_our_mark_stops_the_build(shop: BuildShop, made: str) -> None:
    shop.execute(f"create {made}".replace("$", f"{shop.schema_}."))
    error = refused(shop)
    kind, name = made.split()[:2]
    assert f"The {kind} {shop.target.schema_}.{name[1:]} was not made by seg-sql" in error.message
    assert error.hint is not None
    assert "'schema'" in error.hint
    assert "'prefix'" in error.hint


def test_a_prefix_is_a_way_out(shop: BuildShop) -> None:
    shop.execute(f"create table {shop.schema_}.rfm (a integer)")
    refused(shop)
    shop.write(prefix="crm_")
    shop.build(*BASE)
    # ann, bob and eve.
    assert len(shop.rows("crm_rfm")) == 3
    assert shop.values("select count(*) from $rfm") == [0]
    assert {"crm_seg_sql_runs", "crm_seg_sql_run_parameters"} <= shop.names()
    shop.build("+rfm")


def test_two_projects_share_a_schema_by_prefix(shop: BuildShop) -> None:
    shop.build("+orders")
    shop.write(name="other")
    with pytest.raises(StartError, match="belongs to the project 'shop'"):
        shop.run("build", *BASE)
    shop.write(name="other", prefix="o_")
    shop.build("+orders")
    assert {"orders", "o_orders"} <= shop.names()
    # And each still builds its own.
    shop.write()
    shop.build("+orders")


def test_the_tables_of_runs_are_ours_too(shop: BuildShop) -> None:
    shop.execute(f"create table {shop.schema_}.seg_sql_runs (a integer)")
    assert "seg_sql_runs was not made by seg-sql" in refused(shop).message


def test_only_what_is_built_is_looked_at(shop: BuildShop) -> None:
    shop.execute(f"create table {shop.schema_}.rfm (a integer)")
    shop.build("+orders")
    assert {"orders", "rfm"} <= shop.names()
    assert shop.values(f"select count(a) from {shop.schema_}.rfm") == [0]


def test_duckdb_takes_other_letters_for_the_same_name(duckdb_shop: BuildShop) -> None:
    shop = duckdb_shop
    shop.execute(f'create table {shop.schema_}."Rfm" (a integer)')
    # The name as its owner wrote it.
    assert f"{shop.target.schema_}.Rfm was not made by seg-sql" in refused(shop).message


def test_postgres_takes_them_for_another_name(postgres_shop: BuildShop) -> None:
    shop = postgres_shop
    shop.execute(f'create table {shop.schema_}."Rfm" (a integer)')
    shop.build("+rfm")
    assert {"Rfm", "rfm"} <= shop.names()


def test_a_materialized_view_of_others_stops_the_build(postgres_shop: BuildShop) -> None:
    shop = postgres_shop
    shop.execute(f"create materialized view {shop.schema_}.rfm as select 1 as a")
    assert "The materialized view" in refused(shop).message


def test_a_description_may_speak_of_another_project(shop: BuildShop) -> None:
    shop.model("m", "select 1 as n")
    shop.schema(models=[{"name": "m", "description": "Not the m of seg-sql:other:m."}])
    shop.build("m")
    shop.execute(f"delete from {shop.schema_}.m")
    shop.build("m")
    assert shop.values(f"select n from {shop.schema_}.m") == [1]


def test_clean_drops_only_what_we_made(shop: BuildShop) -> None:
    shop.seed("given", "n\n9\n")
    shop.model("m", "select n from {{ ref('given') }}")
    shop.schema(
        models=[
            {
                "name": "m",
                "columns": [{"name": "n", "data_tests": [{"accepted_range": {"max_value": 5}}]}],
            }
        ]
    )
    assert shop.run("build", "given", "m", store_failures=True) == 1
    theirs = ["seg_tmp_backup", "seg_tmp_0a1b2c3d", "seg_sql_failures_mine"]
    # As a run that was killed leaves them: the view reads the table that was made before it.
    dead = ["seg_tmp_0a1b2c3d_9", "seg_tmp_0a1b2c3d_10", "seg_tmp_0a1b2c3d_11"]
    shop.execute(
        *(f"create table {shop.schema_}.{name} as select 1 as a" for name in (*theirs, dead[0])),
        f"create view {shop.schema_}.{dead[1]} as select a from {shop.schema_}.{dead[0]}",
        f"create view {shop.schema_}.{dead[2]} as select a from {shop.schema_}.{dead[1]}",
    )
    settings = Settings(project_dir=shop.folder, profiles_dir=shop.folder)
    said = "\n".join(upkeep.clean(settings))
    assert "Dropped 3 work tables and 1 table of stored failures" in said
    left = shop.names()
    assert set(theirs) <= left
    assert not left & set(dead)
    assert "seg_sql_failures_accepted_range_m_n" not in left
    assert not (shop.folder / "target").exists()
    # What is published stays.
    assert shop.values("select n from $given") == [9]


def test_clean_leaves_a_folder_that_holds_other_files(duckdb_shop: BuildShop) -> None:
    shop = duckdb_shop
    shop.model("m", "select 1 as n")
    shop.build("m")
    shop.file("target/notes.txt", "mine")
    settings = Settings(project_dir=shop.folder, profiles_dir=shop.folder)
    said = "\n".join(upkeep.clean(settings))
    assert "notes.txt is not of seg-sql" in said
    assert (shop.folder / "target" / "manifest.json").exists()


def test_the_next_build_drops_what_a_dead_run_left(shop: BuildShop) -> None:
    shop.model("m", "select 1 as n")
    shop.execute(
        f"create table {shop.schema_}.seg_tmp_0a1b2c3d_9 as select 1 as a",
        f"create view {shop.schema_}.seg_tmp_0a1b2c3d_10 as"
        f" select a from {shop.schema_}.seg_tmp_0a1b2c3d_9",
        f"create table {shop.schema_}.seg_tmp_mine as select 1 as a",
    )
    shop.build("m")
    assert shop.hidden() == ["seg_tmp_mine"]


def test_a_leftover_that_others_use_does_not_stop_the_build(postgres_shop: BuildShop) -> None:
    shop = postgres_shop
    shop.model("m", "select 1 as n")
    work = f"{shop.schema_}.seg_tmp_0a1b2c3d_9"
    shop.execute(
        f"create table {work} as select 1 as a",
        f"create view {shop.schema_}.theirs as select a from {work}",
    )
    shop.build("m")
    assert "seg_tmp_0a1b2c3d_9 could not be dropped" in shop.said()
    assert shop.finished.warned == 1
