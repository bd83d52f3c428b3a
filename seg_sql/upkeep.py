"""Make a project, check what it needs, and tidy up what it leaves: demo, init, debug, clean."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from seg_sql.engines import WORK_PREFIX
from seg_sql.errors import ConfigError, DatabaseError, SegSqlError
from seg_sql.fitting import interrupted_fits
from seg_sql.ownership import aside, leftovers, stored_failures
from seg_sql.session import Settings, artifacts_folder, session, target_of
from seg_sql.step import Steps
from seg_sql.wording import counted
from seg_sql.workspace import Workspace

_FILES = ("manifest.json", "run_results.json", "catalog.json", "known_texts.json")
_FOLDERS = ("backfill", "compiled", "docs", "state")
_ARTIFACTS = frozenset({*_FOLDERS, *_FILES, *(f"{name}.part" for name in _FILES)})


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
    try:
        found = workspace.input(name)
        steps = Steps(workspace, "runner")
        workspace.engine.fetch(steps.sql("all_rows", relation=f"({found.sql})", limit=1))
    except SegSqlError as error:
        return False, f"input {name}: {error}"
    return True, f"input {name}: {', '.join(sorted(found.columns)) or 'all columns'}"


def _try_table(workspace: Workspace) -> tuple[bool, str]:
    engine = workspace.engine
    table = f"{WORK_PREFIX}debug"
    steps = Steps(workspace, "runner")
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
        engine.lock(settings.wait)
        existing = engine.existing()
        left = [*leftovers(existing), *aside(workspace, existing)]
        failures = stored_failures(workspace, existing)
        for name in (*left, *failures):
            engine.drop(name)
        engine.unlock()
        folder = artifacts_folder(settings)
    yield (
        f"Dropped {counted(len(left), 'work table')} and"
        f" {counted(len(failures), 'table')} of stored failures in {engine.schema}."
    )
    for name in interrupted_fits(folder):
        yield f"Dropped the interrupted fit of {name}: the next build begins it anew."
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
