"""profiles.yml: where a project's tables are written, in dbt's own format and search order."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr

from seg_sql.errors import ConfigError, did_you_mean
from seg_sql.yaml_files import YamlFile, render_env, validate

DEFAULT_SCHEMA = "seg_sql"
# What DuckDB 2 writes of itself, older readers cannot open; the embedded file is for sharing.
EMBEDDED_STORAGE = "v1.4.0"


class _Target(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str = "dev"
    schema_: str = Field(default=DEFAULT_SCHEMA, alias="schema", min_length=1, max_length=63)
    threads: int | None = Field(default=None, ge=1, description="Threads of the database.")


class Attachment(BaseModel):
    """Another database that a DuckDB target can read from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    alias: str
    type: str | None = None
    read_only: bool = True


class DuckDBTarget(_Target):
    """A DuckDB file, or `:memory:`."""

    type: Literal["duckdb"] = "duckdb"
    path: str = ":memory:"
    settings: dict[str, Any] = Field(default_factory=dict)
    extensions: list[str] = Field(default_factory=list)
    attach: list[Attachment] = Field(default_factory=list)
    storage_version: str | None = Field(
        default=None,
        description="Oldest DuckDB that must be able to read a file made here, as in 'v1.4.0'.",
    )
    copy_on_build: bool = Field(
        default=False,
        description="Build in a sibling file that replaces this one at the end (publish: copy).",
    )

    @property
    def described(self) -> str:
        """Name the target for a person."""
        return self.path


class PostgresTarget(_Target):
    """A PostgreSQL database, 15 or newer."""

    type: Literal["postgres"] = "postgres"
    host: str = "localhost"
    port: int = 5432
    user: str | None = None
    password: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("password", "pass")
    )
    dbname: str = Field(validation_alias=AliasChoices("dbname", "database"))
    sslmode: str | None = None
    sslrootcert: str | None = None
    connect_timeout: int = 10
    keepalives_idle: int | None = None
    search_path: str | None = None
    role: str | None = None
    lock_timeout: float = Field(default=5.0, gt=0, description="Seconds to wait for a table lock.")
    lock_retries: int = Field(default=5, ge=0)
    settings: dict[str, Any] = Field(default_factory=dict)

    @property
    def described(self) -> str:
        """Name the target for a person, without its password."""
        return f"{self.user or ''}@{self.host}:{self.port}/{self.dbname}"


Target = Annotated[DuckDBTarget | PostgresTarget, Field(discriminator="type")]


class _Holder(BaseModel):
    model_config = ConfigDict(extra="forbid")
    target: Target


def profiles_file(project_dir: Path, profiles_dir: Path | None) -> Path | None:
    """Find profiles.yml as dbt does: the option, the environment, the project, the home folder."""
    named = profiles_dir or (Path(value) if (value := os.environ.get("DBT_PROFILES_DIR")) else None)
    if named is not None:
        path = named / "profiles.yml"
        if not path.is_file():
            raise ConfigError("There is no profiles.yml in this folder.", where=str(named))
        return path
    for folder in (project_dir, Path.home() / ".dbt"):
        if (folder / "profiles.yml").is_file():
            return folder / "profiles.yml"
    return None


def load_target(
    project_dir: Path,
    project_name: str,
    profile: str | None,
    *,
    profiles_dir: Path | None = None,
    target: str | None = None,
) -> DuckDBTarget | PostgresTarget:
    """Return the target that a run writes to.

    Without a profiles.yml it is an embedded DuckDB file beside seg_sql.yml. A DuckDB path is
    relative to the project's folder.
    """
    path = profiles_file(project_dir, profiles_dir)
    name = profile or project_name
    if path is None or (profile is None and not _mentions(path, name)):
        if target not in (None, "dev"):
            raise ConfigError(
                f"There is no target '{target}', because there is no profile '{name}'.",
                where=str(path or project_dir),
                hint="Write a profiles.yml, or run without --target for an embedded DuckDB file.",
            )
        if path is not None and path.parent != Path.home() / ".dbt":
            # One that was written for this project; ~/.dbt may well be about others.
            found = YamlFile.read(path).data
            known = [key for key in found if key != "config"] if isinstance(found, Mapping) else []
            raise ConfigError(
                f"There is no profile '{name}'.",
                where=str(path),
                hint=f"Name one in seg_sql.yml: profile: {known[0]}" if known else None,
            )
        return DuckDBTarget(
            path=str(project_dir / f"{project_name}.duckdb"), storage_version=EMBEDDED_STORAGE
        )
    document = YamlFile.read(path)
    profiles = _mapping(document, (), document.data)
    if name not in profiles:
        raise ConfigError(
            f"There is no profile '{name}'.",
            where=str(path),
            hint=did_you_mean(name, [key for key in profiles if key != "config"]),
        )
    entry = _mapping(document, (name,), profiles[name])
    outputs = _mapping(document, (name, "outputs"), entry.get("outputs"))
    chosen = target or render_env(str(entry.get("target", "default")), document.where(name))
    if chosen not in outputs:
        raise ConfigError(
            f"Profile '{name}' has no target '{chosen}'.",
            where=document.where(name, "outputs"),
            hint=did_you_mean(chosen, outputs),
        )
    output = _mapping(document, (name, "outputs", chosen), outputs[chosen])
    rendered = _rendered(output, document.where(name, "outputs", chosen))
    rendered.setdefault("schema", DEFAULT_SCHEMA)
    if rendered.get("type") == "duckdb" and rendered.get("path", ":memory:") != ":memory:":
        rendered["path"] = str(project_dir / str(rendered["path"]))
    rendered["name"] = chosen
    if rendered.get("type") not in ("duckdb", "postgres"):
        raise ConfigError(
            f"A target has the type duckdb or postgres, not '{rendered.get('type')}'.",
            where=document.where(name, "outputs", chosen, "type"),
            hint=did_you_mean(str(rendered.get("type")), ["duckdb", "postgres"]),
        )
    holder = validate(
        _Holder, {"target": rendered}, document, prefix=(name, "outputs", chosen), skip=2
    )
    return holder.target


def _mentions(path: Path, name: str) -> bool:
    data = YamlFile.read(path).data
    return isinstance(data, Mapping) and name in data


def _mapping(document: YamlFile, where: tuple[str, ...], value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        said = ".".join(where) or "the file"
        raise ConfigError(f"{said} is not a mapping.", where=document.where(*where))
    return value


def _rendered(value: Any, where: str) -> Any:
    if isinstance(value, str):
        return render_env(value, where)
    if isinstance(value, Mapping):
        return {key: _rendered(item, where) for key, item in value.items()}
    if isinstance(value, list):
        return [_rendered(item, where) for item in value]
    return value
