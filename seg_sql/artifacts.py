"""target/: the SQL that ran, and what happened, with dbt's file and key names.

manifest.json and run_results.json are written as a whole and renamed into place, so that a run
that is killed leaves the last ones.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seg_sql import __version__
from seg_sql.errors import ConfigError
from seg_sql.events import Log, NodeFinished, RunFinished, TestFinished
from seg_sql.render import READS_VAR

if TYPE_CHECKING:
    from seg_sql.step import Steps
    from seg_sql.workspace import Workspace

SCHEMA_VERSION = "seg-sql/1"

_ELSEWHERE = "choose another folder with --target-path"


@dataclass(frozen=True)
class Target:
    """The folder that artifacts are written to.

    Raises:
        ConfigError: By every method that writes, when the folder cannot be written to.
    """

    folder: Path

    def prepare(self) -> None:
        """Make sure that the folder can be written to, before anything starts."""
        with writing(self.folder, _ELSEWHERE):
            self.folder.mkdir(parents=True, exist_ok=True)
            probe = self.folder / "manifest.json.part"
            probe.touch()
            probe.unlink()

    def compiled_path(self, shown: str) -> Path:
        """Return where the compiled SQL of a file is kept."""
        return self.folder / "compiled" / shown

    def keep_compiled(self, shown: str, sql: str) -> Path:
        """Write the SQL that is about to run."""
        path = self.compiled_path(shown)
        with writing(path, _ELSEWHERE):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{sql}\n", encoding="utf-8")
        return path

    def unit_tested(self) -> dict[str, dict[str, str]]:
        """Return, by model and dialect, which text of it passed its unit tests."""
        nodes = _nodes_of(self.folder) or []
        return {node.get("name", ""): node.get("unit_tests_passed") or {} for node in nodes}

    def write(
        self,
        workspace: Workspace,
        log: Log,
        finished: RunFinished,
        *,
        started_at: datetime.datetime,
        args: Mapping[str, Any],
        unit_tested: Mapping[str, Mapping[str, str]],
    ) -> None:
        """Write manifest.json and run_results.json.

        Args:
            workspace: What was run.
            log: What happened.
            finished: How it ended.
            started_at: When it began.
            args: What was asked for, as `retry` asks for it again.
            unit_tested: What `unit_tested` returns in the next run.
        """
        self._write_json("manifest.json", manifest(workspace, unit_tested))
        self.write_results(workspace, log, finished, started_at, args)

    def write_results(
        self,
        workspace: Workspace,
        log: Log,
        finished: RunFinished,
        started_at: datetime.datetime,
        args: Mapping[str, Any],
    ) -> None:
        """Write run_results.json alone."""
        results = run_results(workspace, log, finished, started_at, args)
        self._write_json("run_results.json", results)

    def write_catalog(self, workspace: Workspace, steps: Steps) -> None:
        """Write catalog.json: the published relations as the database describes them."""
        self._write_json("catalog.json", catalog(workspace, steps))

    def _write_json(self, name: str, content: Mapping[str, Any]) -> None:
        with writing(self.folder / name, _ELSEWHERE):
            self.folder.mkdir(parents=True, exist_ok=True)
            part = self.folder / f"{name}.part"
            part.write_text(json.dumps(content, default=str) + "\n", encoding="utf-8")
            part.replace(self.folder / name)


@contextmanager
def writing(path: Path, elsewhere: str = "choose another folder") -> Iterator[None]:
    """Turn what hinders writing a file into an error that says what to do."""
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror or error}.",
            hint=f"Give the user of this process the right, free space, or {elsewhere}.",
        ) from error


def outcomes(log: Log) -> list[NodeFinished]:
    """Return how each model ended: what is built may still not be published in the end."""
    return list({event.name: event for event in log.of(NodeFinished)}.values())


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


def checksums(workspace: Workspace) -> dict[str, str]:
    """Identify each model by all that decides what it computes and how it is tested.

    That is its text, its description and tests, its config, the options, variables and inputs
    that it reads, the macros, and what is inlined into it. as_of is left out: it moves every day.
    """
    macros = _macros_checksum(workspace.project.macros)
    found: dict[str, str] = {}
    for name in workspace.graph.order:
        node = workspace.nodes[name]
        parts = [
            macros,
            node.model.checksum,
            node.config.model_dump_json(),
            *(repr(value) for value in _read_by(workspace, name)),
            *(
                test.entry.model_dump_json()
                for test in workspace.project.unit_tests
                if test.entry.model == name
            ),
            *(found[ref] for ref in node.refs if not workspace.nodes[ref].builds),
        ]
        found[name] = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return found


def _read_by(workspace: Workspace, name: str) -> Iterator[Any]:
    """Yield the options, variables and input configurations that a model reads or has."""
    project, node = workspace.project, workspace.nodes[name]
    values = project.template_vars()
    read = set(READS_VAR.findall(node.model.text)) | {name}
    for each in sorted(read - {"as_of"}):
        yield each, values.get(each)
    for each in node.inputs:
        yield each, project.config.inputs.get(each)


def _macros_checksum(paths: tuple[Path, ...]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def manifest(
    workspace: Workspace, unit_tested: Mapping[str, Mapping[str, str]] | None = None
) -> dict[str, Any]:
    """Return what the project consists of."""
    nodes: dict[str, dict[str, Any]] = {}
    sums = checksums(workspace)
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
            "checksum": {"name": "sha256", "checksum": sums[name]},
            "unit_tests_passed": dict((unit_tested or {}).get(name, {})),
        }
    parents = {key: node["depends_on"]["nodes"] for key, node in nodes.items()}
    return {
        "metadata": _metadata(workspace),
        "nodes": nodes,
        "parent_map": parents,
        "child_map": {
            key: [child for child, above in parents.items() if key in above] for key in nodes
        },
    }


def catalog(workspace: Workspace, steps: Steps) -> dict[str, Any]:
    """Return the published relations with their columns, types and comments."""
    existing = steps.engine.existing()
    nodes: dict[str, dict[str, Any]] = {}
    for node in workspace.nodes.values():
        for output in node.outputs.values() if node.builds else ():
            relation = existing.get(workspace.project.relation_name(output.name))
            if relation is None:
                continue
            select = steps.sql("all_rows", relation=workspace.published(output.name))
            described = {column.name: column.description for column in output.entry.columns}
            unique_id = f"{node.model.resource}.{workspace.project.name}.{output.name}"
            nodes[unique_id] = {
                "unique_id": unique_id,
                "metadata": {
                    "type": relation.kind,
                    "schema": workspace.schema,
                    "name": relation.name,
                    "comment": relation.comment,
                },
                "columns": {
                    column.name: {
                        "type": column.type,
                        "index": index,
                        "name": column.name,
                        "comment": described.get(column.name) or None,
                    }
                    for index, column in enumerate(steps.engine.describe(select), 1)
                },
            }
    return {"metadata": _metadata(workspace), "nodes": nodes, "sources": {}}


def run_results(
    workspace: Workspace,
    log: Log,
    finished: RunFinished,
    started_at: datetime.datetime,
    args: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return how each model and test of a run ended."""
    results: list[dict[str, Any]] = []
    for event in outcomes(log):
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
        "args": {**(args or {}), "which": finished.command},
        "results": results,
    }


def _nodes_of(folder: Path) -> list[dict[str, Any]] | None:
    """Return the nodes of a folder's manifest; None when there is none that can be read."""
    try:
        nodes = json.loads((folder / "manifest.json").read_text("utf-8"))["nodes"]
        return [node for node in nodes.values() if isinstance(node, dict)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def modified_since(folder: Path, workspace: Workspace, *, required: bool = False) -> frozenset[str]:
    """Return the models that differ from the manifest in a folder; all when there is none.

    Raises:
        ConfigError: There is none, and it is required.
    """
    known = _nodes_of(folder)
    if known is None:
        if required:
            raise ConfigError(
                "There is no manifest.json to compare with.",
                where=str(folder),
                hint="--state is the target folder of an earlier run, or a copy of it.",
            )
        return frozenset(workspace.nodes)
    before = {node.get("name"): (node.get("checksum") or {}).get("checksum") for node in known}
    return frozenset(
        name for name, checksum in checksums(workspace).items() if before.get(name) != checksum
    )


@dataclass(frozen=True)
class LeftOver:
    """What a run did not bring to a good end.

    Attributes:
        args: What was asked for; `which` is the command.
        models: The models that failed or were skipped, or whose tests failed.
    """

    args: Mapping[str, Any]
    models: tuple[str, ...]

    @property
    def command(self) -> str:
        """Return the command of the run."""
        return str(self.args["which"])


def left_over(folder: Path) -> LeftOver:
    """Return what the last run left to be done again.

    Raises:
        ConfigError: There was no run, or its record cannot be read.
    """
    path = folder / "run_results.json"
    try:
        content = json.loads(path.read_text("utf-8"))
        args, results = dict(content["args"]), content["results"]
        names = [
            unique_id.rpartition(".")[2]
            for result in results
            if result["status"] in ("error", "fail", "skipped")
            for unique_id in result.get("depends_on") or [result["unique_id"]]
        ]
        return LeftOver({"which": args["which"], **args}, tuple(dict.fromkeys(names)))
    except OSError:
        raise ConfigError(
            "There is no run to retry.", where=str(path), hint="Run `seg-sql build` first."
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigError(
            "The file is not a run_results.json of seg-sql.",
            where=str(path),
            hint="Run `seg-sql build` again: it writes a new one.",
        ) from None
