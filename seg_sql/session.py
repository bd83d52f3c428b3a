"""Open a project and its database together, as every command does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seg_sql.engines import open_engine
from seg_sql.errors import ConfigError
from seg_sql.inputs import Limits
from seg_sql.profiles import DuckDBTarget, PostgresTarget, load_target
from seg_sql.project import Project, load_project
from seg_sql.workspace import Workspace


@dataclass(frozen=True)
class Settings:
    """What a person says on the command line about where things are."""

    project_dir: Path = field(default_factory=Path)
    profiles_dir: Path | None = None
    target_path: Path | None = None
    target: str | None = None
    vars: Mapping[str, Any] = field(default_factory=dict)
    threads: int | None = None
    limits: Limits = field(default_factory=Limits)
    wait: float = 0.0


def find_project_dir(start: Path) -> Path:
    """Return the folder with seg_sql.yml: this one, or the nearest above it."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / "seg_sql.yml").is_file():
            return folder
    return start


def target_of(project: Project, settings: Settings) -> DuckDBTarget | PostgresTarget:
    """Return the target of a project under the given settings."""
    target = load_target(
        project.dir,
        project.name,
        project.config.profile,
        profiles_dir=settings.profiles_dir,
        target=settings.target,
    )
    if settings.threads is not None:
        target = target.model_copy(update={"threads": settings.threads})
    return target


def artifacts_folder(settings: Settings) -> Path:
    """Return the folder that artifacts go to."""
    return settings.target_path or settings.project_dir / "target"


def offline(settings: Settings) -> Workspace:
    """Return a workspace without a connection, for commands that only look at files."""
    project = load_project(settings.project_dir, settings.vars)
    target = target_of(project, settings)
    return Workspace(
        project, None, dialect=target.type, schema=target.schema_, target_name=target.name
    )


@contextmanager
def session(settings: Settings, *, writes: bool = False) -> Iterator[Workspace]:
    """Open a project and connect to its target; a session that does not write cannot."""
    project = load_project(settings.project_dir, settings.vars)
    target = target_of(project, settings)
    if isinstance(target, DuckDBTarget):
        target = _duckdb(target, project, writes=writes)
    elif project.config.publish == "copy":
        raise ConfigError(
            "publish: copy is for DuckDB files; PostgreSQL readers are never disturbed.",
            where=project.document.where("publish"),
        )
    engine = open_engine(
        target,
        timezone=project.vars.timezone,
        read_only=not writes and not _in_memory(target),
        wait=settings.wait,
    )
    done = False
    try:
        yield Workspace(
            project,
            engine,
            dialect=engine.dialect,
            schema=engine.schema,
            target_name=target.name,
            limits=settings.limits,
        )
        done = True
    finally:
        engine.close(keep=done)


def _in_memory(target: DuckDBTarget | PostgresTarget) -> bool:
    return isinstance(target, DuckDBTarget) and target.path == ":memory:"


def _duckdb(target: DuckDBTarget, project: Project, *, writes: bool) -> DuckDBTarget:
    if writes:
        return target.model_copy(
            update={"copy_on_build": target.copy_on_build or project.config.publish == "copy"}
        )
    if target.path != ":memory:" and not Path(target.path).exists():
        # Nothing is built yet: there is nothing to open, and looking must not make a file.
        return target.model_copy(update={"path": ":memory:"})
    return target
