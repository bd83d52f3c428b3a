"""What each command of the command line does, without parsing or printing."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from seg_sql.artifacts import LeftOver, left_over, modified_since, write_junit
from seg_sql.engines import WORK_PREFIX, Result
from seg_sql.errors import (
    ConfigError,
    DatabaseError,
    SegSqlError,
    SelectionError,
    did_you_mean,
)
from seg_sql.events import Log, Said
from seg_sql.inputs import Limits
from seg_sql.moves import moves_between
from seg_sql.ownership import aside, internal, leftovers, stored_failures
from seg_sql.project import Model
from seg_sql.select import select as select_nodes
from seg_sql.session import (
    Settings,
    artifacts_folder,
    artifacts_of,
    offline,
    session,
    target_of,
)
from seg_sql.step import Steps
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
    from seg_sql.run import Options, start

    left: LeftOver | None = None
    if command == "retry":
        left = left_over(artifacts_folder(settings))
        command, settings = left.command, _as_before(settings, left)
        full_refresh = full_refresh or bool(left.args.get("full_refresh"))
    with session(settings, writes=command != "test" or store_failures) as workspace:
        target = artifacts_of(workspace.project, settings)
        if left is not None:
            select = [name for name in left.models if name in workspace.nodes]
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
        write_junit(junit, log, finished)
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


def compile_models(
    settings: Settings,
    *,
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    state: Path | None = None,
    dialect: str | None = None,
    lint: bool = False,
) -> Iterator[str]:
    """Write compiled SQL and yield what to print: one model's SQL, or a line."""
    from seg_sql.checking import check

    with session(settings) as workspace:
        target = artifacts_of(workspace.project, settings)
        names = chosen_nodes(workspace, target.folder, select, exclude, state)
        order = [name for name in workspace.graph.order if name in names]
        models = [name for name in order if workspace.nodes[name].model.resource == "model"]
        if lint:
            check(workspace, order)
            keep = "keeps" if len(models) == 1 else "keep"
            yield f"{_count(models, 'model')} {keep} to the portable subset."
            return
        _settle_quietly(workspace, names)
        for name in models:
            sql = workspace.compile(name)
            target.keep_compiled(workspace.nodes[name].model.shown, sql)
            if dialect is not None:
                yield _translated(sql, workspace.dialect, dialect, name)
            elif len(models) == 1:
                yield sql
        if len(models) != 1 and dialect is None:
            yield f"{_count(models, 'model')} compiled to {target.folder / 'compiled'}"


def scoring_sql(settings: Settings, name: str) -> str:
    """Return the published fit of an algorithm model as one plain SELECT over its own rows.

    Raises:
        SelectionError: If the model is none that can score.
        ConfigError: If it is not built yet.
    """
    from seg_sql.fitting import task

    with session(settings) as workspace:
        node, engine = workspace.nodes.get(name), workspace.engine
        assert engine is not None
        scoring = [each for each, found in workspace.nodes.items() if found.algorithm]
        if node is None or node.algorithm is None or node.algorithm.apply is None:
            raise SelectionError(
                f"'{name}' has no fit to score with.", hint=did_you_mean(name, scoring)
            )
        given = task(workspace, node, engine.existing())
        if set(given.previous) < set(node.outputs):
            raise ConfigError(
                f"{name} is not built in {engine.schema} yet.",
                hint=f"Run `seg-sql build -s +{name}`.",
            )
        _settle_quietly(workspace, {name})
        steps = Steps(
            workspace, engine, "00000000", f"algorithms/{node.algorithm.name}", model=name
        )
        given = task(workspace, node, engine.existing())
        rows = f"({workspace.compile(name)}) as scored_rows"
        return node.algorithm.apply(steps, given.previous, rows, given)


def _settle_quietly(workspace: Workspace, names: set[str]) -> None:
    from seg_sql import freshness

    assert workspace.engine is not None
    steps = Steps(workspace, workspace.engine, "00000000", "runner")
    freshness.settle(workspace, steps, names, Log())


def _translated(sql: str, dialect: str, wanted: str, name: str) -> str:
    import sqlglot
    from sqlglot.dialects.dialect import Dialect

    known = sorted(each for each in Dialect.classes if each)
    if wanted.lower() not in known:
        raise ConfigError(f"sqlglot knows no dialect '{wanted}'.", hint=did_you_mean(wanted, known))
    try:
        translated = sqlglot.transpile(sql, read=dialect, write=wanted.lower(), pretty=True)[0]
    except sqlglot.errors.SqlglotError as error:
        said = str(error).splitlines()[0]
        raise ConfigError(
            f"{name} cannot be translated: sqlglot does not read it ({said})."
        ) from error
    return (
        f"-- {name}, translated to {wanted} by sqlglot: unverified. Functions and rounding may"
        f" differ; compare the rows before you rely on it.\n{translated};\n"
    )


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
    from seg_sql.testing import data_tests

    if "internal" in resource_type:
        with session(settings) as connected:
            assert connected.engine is not None
            for name in internal(connected, connected.engine.existing()):
                found = {"name": name, "resource_type": "internal"}
                yield json.dumps(found) if output == "json" else name
        if set(resource_type) == {"internal"}:
            return
    workspace = offline(settings)
    folder = artifacts_of(workspace.project, settings).folder
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


def show(
    settings: Settings,
    name: str | None,
    *,
    inline: str | None,
    limit: int,
    between: tuple[datetime.date, datetime.date] | None = None,
) -> tuple[Result, int | None]:
    """Return rows of a published table, or of a SELECT, and how many rows there are in all.

    With `between` the rows of segment_moves are those between two as_of.
    """
    if (name is None) == (inline is None):
        raise ConfigError(
            "Give either the name of a model or --inline SELECT.",
            hint="For example: seg-sql show rfm_segments",
        )
    with session(settings) as workspace:
        engine = workspace.engine
        assert engine is not None
        steps = Steps(workspace, engine, "00000000", "runner")
        if inline is not None:
            sql = workspace.renderer.render(
                inline, "--inline", ref=workspace.ref_sql, input=workspace.input_sql
            ).sql
            rows = steps.sql(
                "all_rows", columns=["*"], relation=f"({sql})", order_by=[], limit=limit
            )
            return engine.fetch(rows), None
        assert name is not None
        output = workspace.output(name)
        internal = name in ("seg_sql_runs", "seg_sql_run_parameters")
        if output is None and not internal:
            raise SelectionError(
                f"There is no model '{name}'.", hint=did_you_mean(name, workspace.owners)
            )
        existing = engine.existing()
        if workspace.project.relation_name(name) not in existing:
            raise ConfigError(
                f"{name} is not built in {engine.schema} yet.",
                hint=f"Run `seg-sql build -s +{name}`.",
            )
        relation = workspace.published(name)
        if between is not None:
            history = Steps(workspace, engine, "00000000", "history")
            relation = f"({moves_between(workspace, history, *between)})"
        order = ["started_at", "model"] if output is None else _order_of(workspace, output)
        described = engine.describe(
            steps.sql("all_rows", columns=["*"], relation=relation, order_by=[], limit=None)
        )
        # What a person looks for first stands left, where a narrow terminal shows it.
        first = [] if output is None else _meta(workspace, output).get("show_first", [])
        names = [column.name for column in described]
        names = [*(each for each in first if each in names), *(n for n in names if n not in first)]
        sql = steps.sql(
            "all_rows",
            columns=[engine.quote(each) for each in names],
            relation=relation,
            order_by=[engine.quote(each) for each in order if each in names],
            limit=limit,
        )
        total = engine.fetch(steps.sql("row_count", relation=relation)).rows[0][0]
        return engine.fetch(sql), int(total)


def _meta(workspace: Workspace, output: Model) -> Mapping[str, Any]:
    node = workspace.nodes[workspace.owners[output.name]]
    if output.name == node.name:
        return node.config.meta
    meta: Mapping[str, Any] = output.entry.config.get("meta", {})
    return meta


def _order_of(workspace: Workspace, output: Model) -> list[str]:
    """Return the columns that rows are shown in the order of: as described, or the grain."""
    shown = _meta(workspace, output).get("order_by")
    if shown is not None:
        return list(shown)
    node = workspace.nodes[workspace.owners[output.name]]
    if output.name == node.name:
        return list(node.config.unique_key)
    for test in output.entry.data_tests:
        if isinstance(test, dict) and "unique_combination_of_columns" in test:
            return list(test["unique_combination_of_columns"]["combination_of_columns"])
    return []


def debug(settings: Settings) -> Iterator[tuple[bool, str]]:
    """Yield a line for each thing that a build needs, and whether it is there."""
    from seg_sql.project import load_project

    project = load_project(settings.project_dir, settings.vars)
    yield True, f"project {project.name}, {project.document.path}"
    target = target_of(project, settings)
    yield True, f"target {target.name}: {target.type} {target.described}, schema {target.schema_}"
    try:
        with session(settings, writes=True) as workspace:
            engine = workspace.engine
            assert engine is not None
            yield True, f"connected to {engine.dialect} {engine.version}"
            for name in project.config.inputs:
                yield _try_input(workspace, name)
            missing = engine.missing_rights()
            for sentence in missing:
                yield False, f"missing: {sentence}"
            if not missing:
                yield _try_table(workspace)
    except SegSqlError as error:
        yield False, str(error)


def _try_input(workspace: Workspace, name: str) -> tuple[bool, str]:
    assert workspace.engine is not None
    try:
        found = workspace.input(name)
        steps = Steps(workspace, workspace.engine, "00000000", "runner")
        workspace.engine.fetch(
            steps.sql("all_rows", columns=["*"], relation=f"({found.sql})", order_by=[], limit=1)
        )
    except SegSqlError as error:
        return False, f"input {name}: {error}"
    return True, f"input {name}: {', '.join(sorted(found.columns)) or 'all columns'}"


def _try_table(workspace: Workspace) -> tuple[bool, str]:
    engine = workspace.engine
    assert engine is not None
    table = f"{WORK_PREFIX}debug"
    steps = Steps(workspace, engine, "00000000", "runner")
    try:
        engine.prepare_schema()
        engine.create(table, "table", steps.sql("seg_sql_run_parameters"))
        engine.drop(table)
    except DatabaseError as error:
        return False, f"no table can be made in {engine.schema}: {error}"
    return True, f"made and dropped a table in schema {engine.schema}"


def clean(settings: Settings) -> Iterator[str]:
    """Remove target/ and the work tables of interrupted runs; yield what was removed."""
    with session(settings, writes=True) as workspace:
        engine = workspace.engine
        assert engine is not None
        engine.lock(settings.wait)
        existing = engine.existing()
        left = [*leftovers(existing), *aside(workspace, existing)]
        failures = stored_failures(workspace, existing)
        for name in (*left, *failures):
            engine.drop(name)
        engine.unlock()
        folder = artifacts_of(workspace.project, settings).folder
    yield (
        f"Dropped {_count(left, 'work table')} and"
        f" {_count(failures, 'table')} of stored failures in {engine.schema}."
    )
    if not folder.is_dir():
        return
    others = sorted(path.name for path in folder.iterdir() if path.name not in _ARTIFACTS)
    if others:
        yield f"Left {folder}: {', '.join(others[:3])} is not of seg-sql."
        return
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be removed: {error.strerror or error}.") from error
    yield f"Removed {folder}."


def _count(things: Sequence[str], what: str) -> str:
    return f"{len(things)} {what}{'' if len(things) == 1 else 's'}"


_FILES = ("manifest.json", "run_results.json", "catalog.json")
_FOLDERS = ("backfill", "compiled", "docs", "state")
_ARTIFACTS = frozenset({*_FOLDERS, *_FILES, *(f"{name}.part" for name in _FILES)})


def demo(directory: Path, customers: int, seed: int) -> Iterator[str]:
    """Make a demo project; yield what was made and what to do next."""
    from seg_sql import demo as demo_

    made = demo_.demo(directory, customers=customers, seed=seed)
    lines = made.parameters["counts"]["order_lines"]
    yield f"Made {directory}: {lines:,} order lines of {customers:,} customers."
    yield "Next:"
    yield f"  cd {directory}"
    yield "  seg-sql build"
    yield "  seg-sql show rfm_segments"


def init(
    source: str, table: str | None, name: str | None, project_dir: Path
) -> Iterator[tuple[bool, str]]:
    """Propose a project from a file or a table and write it; yield what to say."""
    from seg_sql import init as init_

    for line in init_.init(source, table=table, name=name, project_dir=project_dir):
        yield True, line
    if "://" in source and (project_dir / "profiles.yml").exists():
        yield from debug(Settings(project_dir=project_dir))
