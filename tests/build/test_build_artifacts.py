"""target/ and the tables of runs: what a program finds there after a build."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from build_shop import BASE, BuildShop

from seg_sql.errors import ConfigError


def failing(shop: BuildShop) -> BuildShop:
    """A model that succeeds, one whose test fails, one that warns, one that is skipped."""
    shop.seed("given", "n\n1\n6\n")
    shop.model("good", "select n from {{ ref('given') }}")
    shop.model("bad", "select n from {{ ref('given') }}")
    shop.model("below", "select n from {{ ref('bad') }}")
    shop.model("wrong", "select nothing from {{ ref('given') }}")
    at_most = {"max_value": 5, "description": "At most \x1b[1mfive\x00, <b>&c."}
    shop.schema(
        models=[
            {"name": "good", "columns": [{"name": "n", "data_tests": [warning(at_most)]}]},
            {
                "name": "bad",
                "columns": [{"name": "n", "data_tests": [{"accepted_range": at_most}]}],
            },
        ]
    )
    return shop


def warning(arguments: dict[str, Any]) -> dict[str, Any]:
    return {"accepted_range": {**arguments, "severity": "warn"}}


def test_run_results_use_dbts_names(shop: BuildShop) -> None:
    assert failing(shop).run("build", "given+") == 1
    content = shop.artifact("run_results.json")
    assert content.keys() >= {"metadata", "args", "elapsed_time", "results"}
    assert content["args"]["which"] == "build"
    assert content["metadata"]["seg_sql_schema_version"] == "seg-sql/1"
    assert content["metadata"]["adapter_type"] == ("postgres" if shop.is_postgres else "duckdb")
    results = {result["unique_id"]: result for result in content["results"]}
    # The words of dbt: success, error, skipped for nodes; pass, warn, fail, error for tests.
    assert {key: result["status"] for key, result in results.items()} == {
        "seed.shop.given": "success",
        "model.shop.good": "success",
        "model.shop.bad": "error",
        "model.shop.wrong": "error",
        "model.shop.below": "skipped",
        "test.shop.not_empty_given": "pass",
        "test.shop.not_empty_good": "pass",
        "test.shop.not_empty_bad": "pass",
        "test.shop.accepted_range_good_n": "warn",
        "test.shop.accepted_range_bad_n": "fail",
    }
    for result in results.values():
        assert result.keys() >= {"unique_id", "status", "execution_time", "message", "failures"}
    assert results["test.shop.accepted_range_bad_n"]["failures"] == 1
    assert results["seed.shop.given"]["adapter_response"] == {"rows_affected": 2}
    # What a program reads is JSON from end to end, and no half of a file is left beside it.
    assert {path.name for path in (shop.folder / "target").iterdir()} == {
        "catalog.json",
        "compiled",
        "known_texts.json",
        "manifest.json",
        "run_results.json",
    }


def test_the_manifest_says_what_there_is(duckdb_shop: BuildShop) -> None:
    shop = duckdb_shop
    failing(shop).run("build", "given+")
    content = shop.artifact("manifest.json")
    assert content.keys() >= {"metadata", "nodes", "parent_map", "child_map"}
    node = content["nodes"]["model.shop.bad"]
    assert node.keys() >= {
        "unique_id",
        "name",
        "resource_type",
        "package_name",
        "original_file_path",
        "schema",
        "alias",
        "relation_name",
        "description",
        "columns",
        "config",
        "tags",
        "depends_on",
        "checksum",
    }
    assert node["depends_on"] == {"nodes": ["seed.shop.given"]}
    assert node["relation_name"] == f'"{shop.target.schema_}"."bad"'
    assert content["parent_map"]["model.shop.below"] == ["model.shop.bad"]
    assert content["child_map"]["model.shop.bad"] == ["model.shop.below"]
    assert content["nodes"]["model.shop.rfm"]["package_name"] == "seg_sql"
    assert content["nodes"]["model.shop.order_lines_checked"]["relation_name"] is None


def test_junit_is_what_ci_servers_read(duckdb_shop: BuildShop) -> None:
    """Structure as the common schema has it: testsuites, testsuite with counts, testcase."""
    shop = duckdb_shop
    report = shop.folder / "reports" / "junit.xml"
    assert failing(shop).run("build", "given+", junit=report) == 1
    root = shop.junit("reports/junit.xml")
    assert root.tag == "testsuites"
    [suite] = root
    cases = list(suite)
    assert {case.tag for case in cases} == {"testcase"}
    # Five models and seeds, five tests.
    assert suite.attrib["tests"] == "10" == str(len(cases))
    assert suite.attrib["failures"] == "1"
    assert suite.attrib["errors"] == "2"
    assert suite.attrib["skipped"] == "1"
    float(suite.attrib["time"])
    by_name = {case.attrib["name"]: case for case in cases}
    for case in cases:
        assert case.attrib.keys() == {"classname", "name", "time"}
    failure = by_name["accepted_range_bad_n"].find("failure")
    assert failure is not None
    # Characters that XML cannot hold are replaced, the others are escaped.
    assert failure.attrib["message"] == "At most ?[1mfive?, <b>&c."
    assert by_name["accepted_range_bad_n"].attrib["classname"] == "bad"
    error = by_name["wrong"].find("error")
    assert error is not None
    assert "sql/models/wrong.sql" in (error.text or "")
    assert by_name["below"].find("skipped") is not None
    assert list(by_name["good"]) == []


def test_json_lines_are_json(duckdb_shop: BuildShop) -> None:
    shop = duckdb_shop
    done = failing(shop).command("build", "-s", "given+", "--log-format", "json")
    assert done.returncode == 1
    assert done.stdout == ""
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert events[0]["event"] == "RunStarted"
    assert events[-1]["event"] == "RunFinished"
    assert (events[-1]["failed"], events[-1]["warned"], events[-1]["skipped"]) == (3, 1, 1)
    finished = [event for event in events if event["event"] == "NodeFinished"]
    assert {event["name"] for event in finished} == {"given", "good", "bad", "wrong", "below"}
    for event in finished:
        datetime.datetime.fromisoformat(event["finished_at"])


def test_runs_are_recorded_in_the_database(shop: BuildShop) -> None:
    assert failing(shop).run("build", "given+", "+orders") == 1
    rows = {row["model"]: row for row in shop.rows("seg_sql_runs")}
    assert {name: row["status"] for name, row in rows.items()} == {
        "given": "success",
        "good": "success",
        "bad": "error",
        "wrong": "error",
        "below": "skipped",
        "order_lines_clean": "success",
        "orders": "success",
    }
    run = shop.artifact("run_results.json")["metadata"]["invocation_id"]
    row = rows["orders"]
    assert row["run_id"] == run
    assert row["rows"] == 5
    # The last line is of 2026-03-31; six lines with 9 + 3 + 40 + 30 + 30 + 6.
    assert row["as_of"] == datetime.date(2026, 4, 1)
    assert row["input_fingerprint"].startswith("6 rows, last 2026-03-31")
    assert "118" in row["input_fingerprint"]
    assert row["started_at"] <= row["finished_at"]
    assert rows["order_lines_clean"]["rows"] is None  # a view
    parameters = {
        (row["model"], row["parameter"]): row["value"]
        for row in shop.rows("seg_sql_run_parameters")
        if row["run_id"] == run
    }
    assert parameters[None, "as_of"] == "2026-04-01"
    assert parameters[None, "as_of_origin"] == "the day after the last order line"
    assert parameters[None, "refunds"] == "net"
    assert parameters["rfm", "bins.recency"] == "5"
    # A second run adds its own rows.
    shop.build("good")
    assert shop.values("select count(distinct run_id) from $seg_sql_runs") == [2]


def test_a_failure_to_record_does_not_hide_the_run(shop: BuildShop) -> None:
    shop.model("m", "select 1 as n")
    shop.build("m")
    shop.execute(f"alter table {shop.schema_}.seg_sql_runs rename column status to outcome")
    shop.build("m")
    assert "The run could not be recorded" in shop.said()
    assert shop.finished.warned == 1


def test_compiled_sql_is_what_ran(shop: BuildShop) -> None:
    shop.build(*BASE)
    for name, folder in (("orders", "base"), ("rfm", "rfm"), ("customer_lifecycle", "lifecycle")):
        text = shop.compiled(f"models/{folder}/{name}.sql")
        assert "{{" not in text
        with shop.engine() as engine:
            found = sorted(engine.fetch(text).rows, key=repr)
            stored = engine.fetch(f"select * from {engine.relation(name)}").rows
        assert found == sorted(stored, key=repr)
    # A test's file selects its bad rows: there are none.
    assert shop.values(shop.compiled("tests/unique_rfm_customer_id.sql")) == []


def test_target_holds_no_customer(shop: BuildShop) -> None:
    days = ("2026-01-05", "2026-02-05")
    shop.load([("Zebulon Q", day, day, "mug", 2, 4.5) for day in days], name="other")
    shop.write(inputs={"order_lines": {"relation": shop.raw("other")}})
    shop.build(*BASE, store_failures=True)
    assert shop.values("select customer_id from $rfm") == ["Zebulon Q"]
    for path in (shop.folder / "target").rglob("*"):
        assert path.is_dir() or "Zebulon" not in path.read_text()


# Which models differ after a change of one file: the model, and what it is inlined into.
def changed(shop: BuildShop) -> set[str]:
    from seg_sql import commands
    from seg_sql.session import Settings

    settings = Settings(project_dir=shop.folder, profiles_dir=shop.folder)
    return set(commands.listing(settings, select=["state:modified"], state=shop.folder / "before"))


@pytest.fixture
def remembered(duckdb_shop: BuildShop) -> BuildShop:
    shop = duckdb_shop
    shop.file("macros/mine.sql", "{% macro three() %}3{% endmacro %}")
    shop.model("inlined", "{{ config(materialized='ephemeral') }}\nselect {{ three() }} as n")
    shop.model("reader", "select n from {{ ref('inlined') }} as inlined")
    shop.model("aside", "select {{ var('answer', 1) }} as n")
    shop.build("reader", "aside")
    (shop.folder / "target").rename(shop.folder / "before")
    assert changed(shop) == set()
    return shop


def test_a_changed_file_is_modified(remembered: BuildShop) -> None:
    remembered.model("aside", "select 2 as n")
    assert changed(remembered) == {"aside"}


def test_what_is_inlined_changes_its_readers(remembered: BuildShop) -> None:
    remembered.model("inlined", "{{ config(materialized='ephemeral') }}\nselect 4 as n")
    assert changed(remembered) == {"inlined", "reader"}


def test_a_changed_description_or_test_is_modified(remembered: BuildShop) -> None:
    remembered.schema(
        models=[{"name": "reader", "data_tests": [{"not_empty": {"severity": "warn"}}]}]
    )
    assert changed(remembered) == {"reader"}


def test_an_option_changes_every_model_that_reads_it(remembered: BuildShop) -> None:
    """The window of rfm is read by rfm_values, which has no option of its own."""
    remembered.write(models={"rfm": {"window": 30}})
    assert {"rfm", "rfm_values", "rfm_cut_points"} <= changed(remembered)
    assert not {"orders", "aside", "cohort_retention"} & changed(remembered)


def test_a_variable_changes_the_models_that_read_it(remembered: BuildShop) -> None:
    remembered.write(vars={"refunds": "drop", "answer": 42})
    assert {"aside", "order_lines_checked", "order_lines_clean"} <= changed(remembered)
    assert "reader" not in changed(remembered)
    # as_of moves every day: it is no modification.
    remembered.write(vars={"as_of": "2026-03-01"})
    assert changed(remembered) == set()


def test_an_input_changes_the_models_that_read_it(remembered: BuildShop) -> None:
    remembered.write(
        inputs={"order_lines": {"relation": remembered.raw("raw"), "where": "quantity > 1"}}
    )
    assert {"order_lines_checked", "order_lines_clean"} <= changed(remembered)
    assert "reader" not in changed(remembered)


def test_a_macro_changes_every_model(remembered: BuildShop) -> None:
    remembered.file("macros/mine.sql", "{% macro three() %}4{% endmacro %}")
    assert {"reader", "rfm", "orders"} <= changed(remembered)


def test_only_what_is_modified_is_built(remembered: BuildShop) -> None:
    remembered.model("aside", "select 2 as n")
    remembered.build("state:modified+", state=remembered.folder / "before")
    assert remembered.statuses == {"aside": "success"}
    # Nothing modified is nothing to do, and no mistake.
    (remembered.folder / "target").rename(remembered.folder / "after")
    remembered.build("state:modified", state=remembered.folder / "after")
    assert remembered.statuses == {}


def test_a_state_without_a_manifest_is_an_error(remembered: BuildShop) -> None:
    """Everything would count as modified, which nobody means who names a folder."""
    with pytest.raises(ConfigError, match=r"nowhere: There is no manifest\.json"):
        remembered.run("build", "state:modified", state=remembered.folder / "nowhere")
