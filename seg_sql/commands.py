"""What the commands of the command line do, without parsing or printing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from seg_sql.artifacts import LeftOver, Target, left_over, modified_since
from seg_sql.errors import ConfigError, SegSqlError
from seg_sql.events import Log, Said
from seg_sql.inputs import Limits
from seg_sql.ownership import internal
from seg_sql.select import select as select_nodes
from seg_sql.session import Settings, artifacts_folder, offline, session
from seg_sql.workspace import Workspace


def run(
    command: str,
    settings: Settings,
    log: Log,
    *,
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    state: Path | None = None,
    fail_fast: bool = False,
    warn_error: bool = False,
    junit: Path | None = None,
    store_failures: bool = False,
    full_refresh: bool = False,
) -> int:
    """Build, run, test or retry; return the exit code."""
    from seg_sql import runner
    from seg_sql.fitting import interrupted_fits
    from seg_sql.run import Options, start

    left: LeftOver | None = None
    if command == "retry":
        left = left_over(artifacts_folder(settings))
        command, settings = left.command, _as_before(settings, left)
        full_refresh = full_refresh or bool(left.args.get("full_refresh"))
    with session(settings, writes=command != "test" or store_failures) as workspace:
        target = Target(artifacts_folder(settings))
        if left is not None:
            workspace.day_of_retry = left.args.get("as_of")
            select = [name for name in left.models if name in workspace.nodes]
            # Killed in a run before the last one, which did not build it: its record is lost.
            killed = [name for name in interrupted_fits(target.folder) if name in workspace.nodes]
            select += [f"{name}+" for name in killed if name not in select]
            if not select:
                log(Said("The last run left nothing to retry."))
                return 0
        chosen = chosen_nodes(workspace, target.folder, select, exclude, state, log)
        options = Options(
            tests=command in ("build", "test"),
            full_refresh=full_refresh,
            fail_fast=fail_fast,
            store_failures=store_failures,
            warn_error=warn_error,
            resume=left is not None,
            wait=settings.wait,
            args={
                "vars": dict(settings.vars),
                "target": workspace.target_name,
                "full_refresh": full_refresh,
                "empty": settings.limits.empty,
                "sample": settings.limits.sample,
            },
        )
        started = start(workspace, command, options, log, target)
        finished = (runner.test if command == "test" else runner.build)(started, chosen)
    if junit is not None:
        from seg_sql.junit import write_junit

        try:
            write_junit(junit, log, finished)
        except SegSqlError as error:
            # All that was to be run has run.
            log(Said(error.message, level="error", hint=error.hint))
            return 1
    return 1 if finished.failed or finished.skipped else 0


def _as_before(settings: Settings, left: LeftOver) -> Settings:
    """Return the settings of the run that is done again, unless others are given now."""
    limits = settings.limits
    if not limits.empty and limits.sample is None:
        limits = Limits(empty=bool(left.args.get("empty")), sample=left.args.get("sample"))
    return replace(
        settings,
        vars={**(left.args.get("vars") or {}), **settings.vars},
        target=settings.target or left.args.get("target"),
        limits=limits,
    )


def chosen_nodes(
    workspace: Workspace,
    target_folder: Path,
    chosen: Sequence[str],
    excluded: Sequence[str],
    state: Path | None,
    log: Log | None = None,
) -> set[str]:
    """Return the selected models; those whose columns are not mapped are left out, or an error.

    A model that was asked for by name must have what it needs. A model that merely comes with
    "everything" is left out, and a line says so.
    """
    names = _select(workspace, target_folder, chosen, excluded, state)
    lacking: dict[str, tuple[str, str]] = {}
    for name in workspace.graph.order:
        if name in names and (missing := workspace.unmapped(name)):
            lacking[name] = missing[0]
    if not lacking:
        return names
    where = str(workspace.project.document.path)
    if chosen or len(lacking) == len(names):
        name, (input_name, column) = next(iter(lacking.items()))
        raise ConfigError(
            f"{name} needs the column {column} of {input_name}, which is not mapped.",
            where=where,
            hint=_mapping_hint(input_name, column),
        )
    if log is not None:
        reasons: dict[tuple[str, str], list[str]] = {}
        for name, what in lacking.items():
            if workspace.nodes[name].builds:  # a person looks for tables
                reasons.setdefault(what, []).append(name)
        for (input_name, column), left_out in reasons.items():
            log(
                Said(
                    f"Left out, because {input_name} has no {column}: {', '.join(left_out)}",
                    hint=_mapping_hint(input_name, column),
                )
            )
    return names - lacking.keys()


def _select(
    workspace: Workspace,
    target_folder: Path,
    chosen: Sequence[str],
    excluded: Sequence[str],
    state: Path | None,
) -> set[str]:
    """Return the selected models, compared with the manifest of `state` or of the last run."""
    modified: frozenset[str] = frozenset()
    if any("state:" in word for word in (*chosen, *excluded)):
        modified = modified_since(state or target_folder, workspace, required=state is not None)
    return select_nodes(workspace.selectable, workspace.graph, chosen, excluded, modified=modified)


def _mapping_hint(input_name: str, column: str) -> str:
    if column == "amount":
        return (
            f"Map it: inputs: {input_name}: columns: {{quantity: ..., unit_price: ...}} or amount."
        )
    return f"Map it in seg_sql.yml: inputs: {input_name}: columns: {{{column}: <your column>}}"


def listing(
    settings: Settings,
    *,
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    state: Path | None = None,
    resource_type: Sequence[str] = (),
    output: str = "name",
) -> Iterator[str]:
    """Yield a line for each model, seed or test, or for each internal relation of the target."""
    from seg_sql.data_tests import data_tests

    if "internal" in resource_type:
        with session(settings) as connected:
            for name in internal(connected, connected.engine.existing()):
                found = {"name": name, "resource_type": "internal"}
                yield json.dumps(found) if output == "json" else name
        if set(resource_type) == {"internal"}:
            return
    workspace = offline(settings)
    folder = artifacts_folder(settings)
    names = _select(workspace, folder, select, exclude, state)
    for name in workspace.graph.order:
        node = workspace.nodes[name]
        if name not in names or (resource_type and node.model.resource not in resource_type):
            continue
        if output == "json":
            yield json.dumps(
                {
                    "name": name,
                    "resource_type": node.model.resource,
                    "package_name": "seg_sql" if node.model.packaged else workspace.project.name,
                    "original_file_path": node.model.shown,
                    "materialized": node.kind,
                    "tags": sorted({*node.config.tags, node.model.area}),
                    "depends_on": list(node.refs),
                    "description": node.model.entry.description.strip(),
                }
            )
        else:
            yield node.model.shown if output == "path" else name
    tests: list[tuple[str, str, str]] = []
    if "test" in resource_type:
        tests += [
            (test.name, "test", test.file.shown)
            for test in data_tests(workspace)
            if test.after & names
        ]
    if "unit_test" in resource_type:
        tests += [
            (f"{unit.entry.model}::{unit.entry.name}", "unit_test", unit.where)
            for unit in workspace.project.unit_tests
            if unit.entry.model in names
        ]
    for test_name, kind, path in tests:
        if output == "json":
            yield json.dumps({"name": test_name, "resource_type": kind, "original_file_path": path})
        else:
            yield path if output == "path" else test_name
