"""`seg-sql export dbt`: real dbt builds the same rows from the project that is written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from dbt_environment import run
from shop import Shop

from seg_sql.dbt_project import export_dbt
from seg_sql.errors import ConfigError
from seg_sql.profiles import DuckDBTarget, PostgresTarget
from seg_sql.session import Settings

# 24 customers; every third came back, and the last two of the lines have no customer.
ORDERS: list[tuple[Any, ...]] = [
    (f"c{n:02}", f"{n}-{m}", f"2026-0{1 + (n + m) % 3}-{1 + n:02} 10:00", "tea", 1 + n % 4, 2.5 * m)
    for n in range(24)
    for m in range(1, 4 if n % 3 == 0 else 2)
] + [(None, "g1", "2026-03-30 12:00", "tea", 1, 3.5), ("", "g2", "2026-03-30 12:00", "tea", 1, 1)]

OWN = """
-- The size of each cluster; the text has braces that are nobody's template.
{{ config(unique_key='cluster_id', tags=['own']) }}
select distinct cluster_id, customers, '{% raw %}{{ not a call }}{% endraw %}' as note
from {{ ref('customer_clusters_profile') }} as profile
"""


def made(shop: Shop) -> Shop:
    shop.load(ORDERS)
    shop.write(
        inputs={
            "order_lines": {"relation": shop.raw("raw")},
            **({} if shop.is_postgres else {"customers": {"path": "{customers}.csv"}}),
        },
        prefix="crm_",
        vars={"as_of": "2026-04-01", "timezone": "Europe/Berlin"},
        models={"customer_clusters": {"k": 2, "sample_rows": 0, "restarts": 2}},
    )
    (shop.folder / "{customers}.csv").write_text("customer_id,first_order_date\nc01,2024-05-06\n")
    models = shop.folder / "sql" / "models"
    models.mkdir(parents=True)
    (models / "cluster_sizes.sql").write_text(OWN)
    return shop


def export(shop: Shop, folder: Path, *select: str) -> list[str]:
    settings = Settings(project_dir=shop.folder, profiles_dir=shop.folder)
    return list(export_dbt(settings, folder, select=select))


@pytest.fixture
def shop(tmp_path: Path, target: DuckDBTarget | PostgresTarget) -> Shop:
    if isinstance(target, DuckDBTarget):
        target = target.model_copy(update={"storage_version": "v1.4.0"})
    return made(Shop(tmp_path / "project", target))


def profile_of(target: DuckDBTarget | PostgresTarget) -> dict[str, Any]:
    """Return a target of dbt's in the same database, with a schema of its own."""
    if isinstance(target, DuckDBTarget):
        return {"type": "duckdb", "path": target.path, "schema": "by_dbt"}
    password = target.password.get_secret_value() if target.password else "none"
    place = {"host": target.host, "port": target.port, "dbname": target.dbname}
    login = {"user": target.user, "password": password}
    return {"type": "postgres", **place, **login, "schema": f"{target.schema_}_by_dbt"}


@pytest.mark.dbt
@pytest.mark.slow
def test_dbt_builds_the_same_rows(dbt: Path, shop: Shop, tmp_path: Path):
    shop.build()
    folder, profile = tmp_path / "exported", profile_of(shop.target)

    export(shop, folder)
    (tmp_path / "profiles.yml").write_text(
        yaml.safe_dump({"shop": {"target": "dev", "outputs": {"dev": {**profile, "threads": 1}}}})
    )
    said = run(
        [str(dbt), "build", "--project-dir", str(folder), "--profiles-dir", str(tmp_path)],
        NO_COLOR="1",
        PYTHONPATH="",
    )

    assert re.search(r"Done\. PASS=\d+ WARN=0 ERROR=0 SKIP=0", said), said
    with shop.engine() as engine:
        schema = profile["schema"]
        names = engine.fetch(
            "select table_name from information_schema.tables"
            f" where table_schema = {engine.literal(schema)}"
        )
        built = {name for (name,) in names.rows}
        for name in built:
            by_dbt, by_us = engine.relation(name, schema), engine.relation(name)
            columns = range(1, 1 + len(engine.describe(f"select * from {by_us}")))
            order = ", ".join(map(str, columns))
            ours = engine.fetch(f"select * from {by_us} order by {order}")
            assert engine.fetch(f"select * from {by_dbt} order by {order}") == ours, name
        kinds = engine.describe(f"select * from {engine.relation('crm_rfm_map_rf_10', schema)}")
        if shop.is_postgres:
            engine.execute(f"drop schema {engine.quote(schema)} cascade")
    # Models of ours, the own one, and the seed; the clusters are sources.
    assert {"crm_rfm", "crm_cluster_sizes", "crm_input_quality", "crm_rfm_map_rf_10"} <= built
    assert "crm_customer_clusters" not in built
    assert [column.type.lower() for column in kinds][:2] == ["integer", "integer"]


def test_refs_and_sources_stay_calls(shop: Shop, tmp_path: Path):
    folder = tmp_path / "exported"

    export(shop, folder, "rfm", "cluster_sizes")

    rfm = (folder / "models" / "rfm" / "rfm.sql").read_text("utf-8")
    assert "{{ config(materialized='table', alias='crm_rfm') }}" in rfm
    assert "from {{ ref('rfm_values') }} as rfm_values" in rfm
    assert "cast('{{ var('as_of') }}' as date) as as_of" in rfm
    own = (folder / "models" / "cluster_sizes.sql").read_text("utf-8")
    assert "{{ source('seg_sql', 'customer_clusters_profile') }} as profile" in own
    assert "{% raw %}" in own
    assert "{{ not a call }}" in own
    checked = (folder / "models" / "base" / "order_lines_checked.sql").read_text("utf-8")
    schema = shop.target.schema_
    assert f"from {{{{ source('raw_{schema}', 'order_lines') }}}} as raw_rows" in checked
    # What is not asked for and not read is not there, nor are tests of it.
    assert not (folder / "models" / "rfm" / "rfm_segments.sql").exists()
    assert not list(folder.glob("tests/*rfm_segments*"))


def test_sources_are_described(shop: Shop, tmp_path: Path):
    shop.build()
    folder = tmp_path / "exported"

    export(shop, folder)

    content = yaml.safe_load((folder / "models" / "sources.yml").read_text("utf-8"))
    sources = {source["name"]: source for source in content["sources"]}
    raw = sources[f"raw_{shop.target.schema_}"]
    assert raw["schema"] == shop.target.schema_
    assert raw["tables"] == [{"name": "order_lines", "identifier": "raw_raw"}]
    built = {table["name"]: table for table in sources["seg_sql"]["tables"]}
    clusters = built["customer_clusters"]
    assert clusters["identifier"] == "crm_customer_clusters"
    assert clusters["description"].startswith("Groups of customers")
    tests = {column["name"]: column.get("data_tests") for column in clusters["columns"]}
    assert tests["customer_id"] == ["not_null", "unique"]
    assert "seg_sql_runs" in built
    exposures = yaml.safe_load((folder / "models" / "exposures.yml").read_text("utf-8"))
    assert "ref('rfm_segments')" in exposures["exposures"][0]["depends_on"]


def test_a_folder_of_others_is_left_alone(shop: Shop, tmp_path: Path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "dbt_project.yml").write_text("name: theirs\n")
    with pytest.raises(ConfigError, match="is not empty, and not a dbt project that seg-sql wrote"):
        export(shop, tmp_path / "other")

    export(shop, tmp_path / "ours", "rfm")
    export(shop, tmp_path / "ours", "rfm")
