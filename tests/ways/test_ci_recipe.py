"""The commands of the CI recipe do what docs/ci.md says of them."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from shop import Shop

ROOT = Path(__file__).parents[2]
OWN = "{{ config(unique_key='customer_id') }}\nselect customer_id, segment from {{ ref('rfm') }} as rfm\n"


def steps(job: str) -> list[dict[str, Any]]:
    """Return the steps of a job of the example workflow."""
    text = (ROOT / "docs" / "examples" / "github-workflow.yml").read_text("utf-8")
    found: list[dict[str, Any]] = yaml.safe_load(text)["jobs"][job]["steps"]
    return found


def commands(job: str) -> list[list[str]]:
    """Return the seg-sql commands of a job of the example workflow, in their order."""
    lines = [shlex.split(step["run"]) for step in steps(job) if "run" in step]
    return [line for line in lines if line[0] == "seg-sql"]


def run(shop: Shop, command: list[str], target: str) -> None:
    """Run a command in the project's folder, as CI does."""
    done = subprocess.run(
        [sys.executable, "-m", "seg_sql", *command[1:]],
        cwd=shop.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SEG_SQL_TARGET": target},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def cases(path: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for case in ElementTree.parse(path).iter("testcase"):
        found.setdefault(case.attrib["classname"], set()).add(case.attrib["name"])
    return found


def write(shop: Shop, **more: Any) -> None:
    """Write the project with a target for each job, in the same schema."""
    shop.write(
        vars={"as_of": "2026-04-01"}, models={"customer_clusters": {"enabled": False}}, **more
    )
    path = shop.folder / "profiles.yml"
    profile = yaml.safe_load(path.read_text("utf-8"))
    outputs = profile["shop"]["outputs"]
    outputs |= {"ci": outputs["dev"], "staging": outputs["dev"]}
    path.write_text(yaml.safe_dump(profile))


def test_the_workflow_builds_everything_and_then_what_changed(shop: Shop):
    own = shop.folder / "sql" / "models" / "own.sql"
    own.parent.mkdir(parents=True)
    own.write_text(OWN)
    write(shop)

    assert len(commands("all")) == 2
    for command in commands("all"):
        run(shop, command, "ci")

    built = cases(shop.folder / "results" / "build.xml")["models"]
    assert {"rfm", "own", "cohort_retention"} <= built
    (keep,) = (step["run"] for step in steps("changed") if "mv " in step.get("run", ""))
    subprocess.run(["bash", "-e", "-c", keep], cwd=shop.folder, check=True)

    # Nothing changed: nothing is built. Then one model did, and the one that reads it.
    (changed,) = commands("changed")
    run(shop, changed, "staging")
    assert cases(shop.folder / "results" / "changed.xml") == {}
    (own.parent / "reader.sql").write_text("select customer_id from {{ ref('own') }} as own\n")
    own.write_text(OWN.replace("segment from", "segment, rfm_code from"))
    run(shop, changed, "staging")
    found = cases(shop.folder / "results" / "changed.xml")
    assert found["models"] == {"own", "reader"}
    assert found["own"] == {"not_empty_own"}


def test_nothing_is_compared_before_main_has_run():
    (restore,) = (step for step in steps("changed") if "cache/restore" in step.get("uses", ""))
    (save,) = (step for step in steps("all") if "cache/save" in step.get("uses", ""))
    # A cache is found by its path too.
    assert restore["with"]["path"] == save["with"]["path"]
    assert save["with"]["key"].startswith(restore["with"]["restore-keys"])
    later = steps("changed")[steps("changed").index(restore) + 1 :]
    conditions = {step["if"] for step in later if "run" in step}
    assert conditions == {f"steps.{restore['id']}.outputs.cache-matched-key != ''"}


def test_the_hooks_are_commands(tmp_path: Path, duckdb_target: Any):
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert [hook["id"] for hook in hooks] == ["seg-sql-compile", "seg-sql-test"]
    project = Shop(tmp_path / "project", duckdb_target)
    project.load([("ann", "1", "2026-01-05", "tea", 1, 3.5)])
    write(project)
    project.build("+rfm_values")
    run(project, shlex.split(hooks[0]["entry"]), "ci")
    # What is not built has no data tests to run, and the hook says so by failing.
    with pytest.raises(AssertionError, match="Not built in seg_sql"):
        run(project, shlex.split(hooks[1]["entry"]), "ci")
