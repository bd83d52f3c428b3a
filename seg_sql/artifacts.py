"""target/: the SQL that ran, and what happened, with dbt's file and key names.

manifest.json and run_results.json are written as a whole and renamed into place, so that a run
that is killed leaves the last ones.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from seg_sql import __version__
from seg_sql.errors import ConfigError
from seg_sql.events import Log, NodeFinished, RunFinished, TestFinished

if TYPE_CHECKING:
    from seg_sql.workspace import Workspace

SCHEMA_VERSION = "seg-sql/1"


@dataclass(frozen=True)
class Target:
    """The folder that artifacts are written to."""

    folder: Path

    def compiled_path(self, shown: str) -> Path:
        """Return where the compiled SQL of a file is kept."""
        return self.folder / "compiled" / shown

    def keep_compiled(self, shown: str, sql: str) -> Path:
        """Write the SQL that is about to run."""
        path = self.compiled_path(shown)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{sql}\n", encoding="utf-8")
        return path

    def write(
        self,
        workspace: Workspace,
        log: Log,
        finished: RunFinished,
        started_at: datetime.datetime,
    ) -> None:
        """Write manifest.json and run_results.json."""
        self._write_json("manifest.json", manifest(workspace))
        self._write_json("run_results.json", run_results(workspace, log, finished, started_at))

    def _write_json(self, name: str, content: Mapping[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f"{name}.part"
        part.write_text(json.dumps(content, indent=2, default=str) + "\n", encoding="utf-8")
        part.replace(self.folder / name)


def node_id(workspace: Workspace, name: str) -> str:
    """Return dbt's unique id of a model or seed."""
    kind = workspace.project.models[name].resource
    return f"{kind}.{workspace.project.name}.{name}"


def _metadata(workspace: Workspace) -> dict[str, Any]:
    return {
        "seg_sql_schema_version": SCHEMA_VERSION,
        "seg_sql_version": __version__,
        "generated_at": datetime.datetime.now(datetime.UTC).isoformat(),
        "project_name": workspace.project.name,
        "adapter_type": workspace.dialect,
    }


def checksum(workspace: Workspace, name: str) -> str:
    """Identify a model's text, its description and tests, its options and the macros."""
    project = workspace.project
    options = project.options.get(name)
    digest = hashlib.sha256(project.models[name].checksum.encode())
    digest.update(repr(options).encode())
    digest.update(workspace.nodes[name].config.model_dump_json().encode())
    for test in project.unit_tests:
        if test.entry.model == name:
            digest.update(test.entry.model_dump_json().encode())
    digest.update(_macros_checksum(project.macros))
    return digest.hexdigest()


@cache
def _macros_checksum(paths: tuple[Path, ...]) -> bytes:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.digest()


def manifest(workspace: Workspace) -> dict[str, Any]:
    """Return what the project consists of."""
    nodes: dict[str, dict[str, Any]] = {}
    for name, node in workspace.nodes.items():
        nodes[node_id(workspace, name)] = {
            "unique_id": node_id(workspace, name),
            "name": name,
            "resource_type": node.model.resource,
            "package_name": "seg_sql" if node.model.packaged else workspace.project.name,
            "original_file_path": node.model.shown,
            "schema": workspace.schema,
            "alias": workspace.project.relation_name(name),
            "relation_name": workspace.published(name) if node.builds else None,
            "description": node.model.entry.description,
            "columns": {
                column.name: {
                    "name": column.name,
                    "description": column.description,
                    "data_type": column.data_type,
                }
                for column in node.model.entry.columns
            },
            "config": node.config.model_dump(),
            "tags": sorted({*node.config.tags, node.model.area}),
            "depends_on": {"nodes": [node_id(workspace, ref) for ref in node.refs]},
            "checksum": {"name": "sha256", "checksum": checksum(workspace, name)},
        }
    return {
        "metadata": _metadata(workspace),
        "nodes": nodes,
        "parent_map": {key: node["depends_on"]["nodes"] for key, node in nodes.items()},
    }


def run_results(
    workspace: Workspace, log: Log, finished: RunFinished, started_at: datetime.datetime
) -> dict[str, Any]:
    """Return how each model and test of a run ended."""
    results: list[dict[str, Any]] = []
    for event in log.of(NodeFinished):
        results.append(
            {
                "unique_id": node_id(workspace, event.name),
                "status": event.status,
                "execution_time": event.seconds,
                "message": event.message or None,
                "adapter_response": {"rows_affected": event.rows},
                "failures": None,
                "timing": [
                    {
                        "name": "execute",
                        "started_at": event.started_at,
                        "completed_at": event.finished_at,
                    }
                ],
            }
        )
    for test in log.of(TestFinished):
        kind = "unit_test" if test.kind == "unit" else "test"
        results.append(
            {
                "unique_id": f"{kind}.{workspace.project.name}.{test.name}",
                "status": test.status,
                "execution_time": test.seconds,
                "message": test.message or None,
                "failures": test.failures,
                "depends_on": [node_id(workspace, test.model)],
            }
        )
    return {
        "metadata": {**_metadata(workspace), "invocation_id": finished.run_id},
        "elapsed_time": finished.seconds,
        "seconds_in_database": finished.seconds_in_database,
        "started_at": started_at,
        "args": {"which": finished.command},
        "results": results,
    }


def modified_since(folder: Path, workspace: Workspace) -> frozenset[str]:
    """Return the models that differ from the manifest in a folder; all when there is none."""
    path = folder / "manifest.json"
    try:
        known = json.loads(path.read_text("utf-8"))["nodes"]
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset(workspace.nodes)
    sums = {node.get("name"): node.get("checksum", {}).get("checksum") for node in known.values()}
    return frozenset(
        name for name in workspace.nodes if sums.get(name) != checksum(workspace, name)
    )


def left_over(folder: Path) -> tuple[str, list[str]]:
    """Return the command of the last run and the models that failed or were skipped in it."""
    path = folder / "run_results.json"
    try:
        content = json.loads(path.read_text("utf-8"))
        results, command = content["results"], content["args"]["which"]
    except OSError:
        raise ConfigError(
            "There is no run to retry.", where=str(path), hint="Run `seg-sql build` first."
        ) from None
    except (ValueError, KeyError, TypeError):
        raise ConfigError("The file is not a run_results.json.", where=str(path)) from None
    names = []
    for result in results:
        if result["status"] in ("error", "fail", "skipped"):
            of = [result["unique_id"]] if "depends_on" not in result else result["depends_on"]
            names += [each.rpartition(".")[2] for each in of]
    return str(command), list(dict.fromkeys(names))


def write_junit(path: Path, log: Log, finished: RunFinished) -> None:
    """Write the models and tests of a run as JUnit XML, which CI servers show."""
    cases: list[ElementTree.Element] = []
    events: list[NodeFinished | TestFinished] = [*log.of(NodeFinished), *log.of(TestFinished)]
    for event in events:
        is_test = isinstance(event, TestFinished)
        case = ElementTree.Element(
            "testcase",
            classname=event.model if isinstance(event, TestFinished) else "models",
            name=event.name,
            time=f"{event.seconds:.3f}",
        )
        if event.status in ("error", "fail"):
            tag = "failure" if event.status == "fail" else "error"
            failures = event.failures if isinstance(event, TestFinished) else 0
            message = event.message or (f"{failures} rows" if is_test else "failed")
            inner = ElementTree.SubElement(case, tag, message=message)
            inner.text = event.detail if isinstance(event, TestFinished) else event.message
        elif event.status == "skipped":
            ElementTree.SubElement(case, "skipped", message=event.message)
        elif event.status == "warn":
            ElementTree.SubElement(case, "system-out").text = f"WARN {event.message}"
        cases.append(case)
    suite = ElementTree.Element(
        "testsuite",
        name=f"seg-sql {finished.command}",
        tests=str(len(cases)),
        failures=str(sum(case.find("failure") is not None for case in cases)),
        errors=str(sum(case.find("error") is not None for case in cases)),
        skipped=str(sum(case.find("skipped") is not None for case in cases)),
        time=f"{finished.seconds:.3f}",
    )
    suite.extend(cases)
    root = ElementTree.Element("testsuites")
    root.append(suite)
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
