"""The JSON Schema of seg_sql.yml accepts what seg-sql accepts, and an editor's first mistakes it does not."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from seg_sql.cli import cli
from seg_sql.config import ProjectConfig
from seg_sql.json_schema import project_schema

ROOT = Path(__file__).parents[2]


def as_editor(text: str) -> Any:
    """Return YAML as an editor sees it: a date is a text."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(each) for key, each in value.items()}
        if isinstance(value, list):
            return [plain(each) for each in value]
        return value.isoformat() if isinstance(value, datetime.date) else value

    return plain(yaml.safe_load(text))


@pytest.fixture(scope="module")
def check() -> Any:
    schema = project_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema).validate


def readme_example() -> str:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    return next(block for block in blocks if block.startswith("name: shop"))


def test_what_the_readme_shows_is_valid(check: Any):
    example = as_editor(readme_example())
    ProjectConfig.model_validate(example)
    check(example)


def test_the_fixtures_are_valid(check: Any):
    found = [*(ROOT / "fixtures").rglob("seg_sql.yml"), ROOT / "sql" / "demo" / "seg_sql.yml"]
    assert len(found) >= 2
    for path in found:
        check(as_editor(path.read_text("utf-8")))


@pytest.mark.parametrize(
    "models",
    [
        {"rfm": {"bins": 3, "ties": "ntile", "segment_map": "own"}},
        {"rfm": {"bins": {"recency": 3}, "tags": "daily", "enabled": False}},
        {"customer_clusters": {"k": "3-8", "transform": "log1p", "group_by": "country"}},
        {"customer_clusters": {"k": [2, 4], "scaling": {"monetary": "robust"}}},
        {"a_model_of_my_own": {"anything": 1}},
    ],
)
def test_options_in_each_way_of_writing_are_valid(check: Any, models: Any):
    check({"name": "shop", "models": models})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"nam": "shop"}, "nam"),
        ({"publish": "sometimes"}, "sometimes"),
        ({"inputs": {"order_lines": {}}}, "not valid under any"),
        ({"inputs": {"order_lines": {"path": "a", "relation": "b"}}}, "valid under each"),
        ({"inputs": {"order_lines": {"path": "a", "columns": {"customer": "c"}}}}, "customer"),
        ({"inputs": {"own": {"relation": "a", "colums": {}}}}, "colums"),
        ({"vars": {"refunds": "maybe"}}, "maybe"),
        ({"models": {"rfm": {"binz": 5}}}, "binz"),
        ({"models": {"customer_clusters": {"restarts": "many"}}}, "many"),
    ],
)
def test_mistakes_are_found(check: Any, wrong: Any, said: str):
    with pytest.raises(jsonschema.ValidationError, match=said):
        check({"name": "shop", **wrong})


def test_every_option_is_described():
    models = project_schema()["properties"]["models"]["properties"]
    for option, schema in models["customer_clusters"]["properties"].items():
        assert "description" in schema or option in ProjectConfig.model_fields or option in (
            "materialized", "enabled", "tags", "unique_key", "grants", "indexes", "meta"
        ), option  # fmt: skip


def test_the_command_prints_it():
    done = CliRunner().invoke(cli, ["docs", "--json-schema"])
    assert json.loads(done.output) == json.loads(json.dumps(project_schema()))
