"""A project as found on disk: its configuration, models, seeds, tests and macros."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from seg_sql import resources
from seg_sql.config import (
    CONFIG_KEYS,
    ModelEntry,
    ProjectConfig,
    SchemaFile,
    UnitTestEntry,
    algorithm_names,
    load_project_config,
    load_schema_file,
    model_options,
    project_vars,
)
from seg_sql.errors import ConfigError, did_you_mean, nearest
from seg_sql.options import MODEL_OPTIONS, ProjectVars
from seg_sql.yaml_files import YamlFile

Resource = Literal["model", "seed"]

_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
_ALGORITHM_MODEL = re.compile(rf"materialized\s*=\s*['\"]({'|'.join(algorithm_names())})['\"]")
_MAP = "rfm_map_"
_READS_A_MODEL = re.compile(r"\bref\s*\(")


@dataclass(frozen=True)
class Model:
    """One file that yields one relation.

    Attributes:
        name: The name of the file without its ending, and of the relation without the prefix.
        path: The file.
        shown: The file as messages name it.
        packaged: Whether it comes with seg-sql.
        text: The template of a model, the CSV of a seed.
        entry: What schema.yml says of it.
        entry_where: `file:line` of that entry.
    """

    name: str
    resource: Resource
    path: Path
    shown: str
    packaged: bool
    text: str
    entry: ModelEntry
    entry_where: str

    @property
    def checksum(self) -> str:
        """Identify the text and what schema.yml says of it."""
        content = f"{self.text}\0{self.entry.model_dump_json()}"
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def area(self) -> str:
        """Return the folder below models/, which is also a tag."""
        return self.path.parent.name


@dataclass(frozen=True)
class SqlFile:
    """A template that is no model: a data test."""

    name: str
    path: Path
    shown: str
    text: str


@dataclass(frozen=True)
class UnitTest:
    """A unit test and the file and line it stands on."""

    entry: UnitTestEntry
    where: str
    folder: Path
    packaged: bool


@dataclass(frozen=True)
class Project:
    """Everything that a run needs to know before it meets a database."""

    dir: Path
    config: ProjectConfig
    document: YamlFile
    vars: ProjectVars
    models: Mapping[str, Model]
    generic_tests: Mapping[str, SqlFile]
    singular_tests: Mapping[str, SqlFile]
    unit_tests: tuple[UnitTest, ...]
    macros: tuple[Path, ...]
    options: Mapping[str, BaseModel] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    """The relations that have another name than their model, by model."""

    @property
    def name(self) -> str:
        """Return the project's name."""
        return self.config.name

    def relation_name(self, model: str) -> str:
        """Return the name that a model's relation has in the target schema."""
        return self.renamed.get(model, f"{self.config.prefix}{model}")

    def template_vars(self) -> dict[str, Any]:
        """Return what `var()` finds: project variables, then options by model name."""
        return {
            **self.vars.model_dump(),
            **{name: options.model_dump() for name, options in self.options.items()},
        }


def load_project(project_dir: Path, given_vars: Mapping[str, Any] | None = None) -> Project:
    """Read a project and check everything that can be checked without a database."""
    given_vars = given_vars or {}
    config, document = load_project_config(project_dir)
    models: dict[str, Model] = {}
    schemas: list[tuple[SchemaFile, YamlFile, bool]] = []
    for root, packaged in ((resources.SQL, True), (project_dir / "sql", False)):
        schemas += [
            (*load_schema_file(path), packaged)
            for folder in ("models", "seeds", "tests")
            for path in sorted((root / folder).rglob("*.yml"))
        ]
    entries = _entries(schemas)
    for root, packaged in ((resources.SQL, True), (project_dir / "sql", False)):
        found = _find_models(root, packaged, entries)
        for name, model in found.items():
            replaced = models.get(name)
            if replaced is not None and replaced.resource != model.resource:
                raise ConfigError(
                    f"'{name}' is a {replaced.resource} of seg-sql and cannot be a"
                    f" {model.resource} here.",
                    where=model.shown,
                    hint="Give the file another name.",
                )
            models[name] = model
    _check_entries(schemas, models)
    tests = _find_tests(project_dir)
    project_variables = project_vars(config, document, given_vars)
    _check_vars(project_variables, models, project_dir, document)
    _check_model_keys(config, models, document)
    options = {name: model_options(name, config, document) for name in MODEL_OPTIONS}
    _check_segment_map(options["rfm"].model_dump()["segment_map"], models, document)
    return Project(
        dir=project_dir,
        config=config,
        document=document,
        vars=project_variables,
        models=models,
        generic_tests={t.name: t for t in tests if not _READS_A_MODEL.search(t.text)},
        singular_tests={t.name: t for t in tests if _READS_A_MODEL.search(t.text)},
        unit_tests=tuple(
            UnitTest(
                entry,
                doc.where("unit_tests", index),
                doc.path.parent,
                packaged,
            )
            for schema, doc, packaged in schemas
            for index, entry in enumerate(schema.unit_tests)
        ),
        macros=(
            *sorted(resources.MACROS.glob("*.sql")),
            *sorted((project_dir / "macros").rglob("*.sql")),
        ),
        options=options,
    )


def _entries(
    schemas: Iterable[tuple[SchemaFile, YamlFile, bool]],
) -> dict[tuple[str, bool], tuple[ModelEntry, str]]:
    found: dict[tuple[str, bool], tuple[ModelEntry, str]] = {}
    for schema, document, packaged in schemas:
        for key in ("models", "seeds"):
            for index, entry in enumerate(getattr(schema, key)):
                where = document.where(key, index)
                if (entry.name, packaged) in found:
                    first = found[entry.name, packaged][1]
                    raise ConfigError(
                        f"'{entry.name}' is described twice; first at {first}.", where=where
                    )
                found[entry.name, packaged] = (entry, where)
    return found


def _find_models(
    root: Path, packaged: bool, entries: Mapping[tuple[str, bool], tuple[ModelEntry, str]]
) -> dict[str, Model]:
    found: dict[str, Model] = {}
    kinds: tuple[tuple[Resource, str, str], ...] = (
        ("model", "models", "*.sql"),
        ("seed", "seeds", "*.csv"),
    )
    for resource, folder, pattern in kinds:
        for path in sorted((root / folder).rglob(pattern)):
            name, shown = path.stem, _shown(path, root)
            # These are the records of runs, work tables, and the tables of a backfill.
            ours = name.startswith(("seg_sql_", "seg_tmp_", "seg_past_"))
            if not _NAME.match(name) or len(name) > 50 or ours:
                raise ConfigError(
                    f"'{name}' cannot be the name of a {resource}.",
                    where=shown,
                    hint="Names that begin with seg_sql_, seg_tmp_ or seg_past_ are seg-sql's own."
                    if ours
                    else "Use lower-case letters, digits and _, at most 50.",
                )
            if name in found:
                raise ConfigError(
                    f"There are two files for '{name}': {found[name].shown} and {shown}.",
                    where=shown,
                )
            # A file that replaces a packaged model keeps its description and tests,
            # unless the project describes the model itself.
            entry, where = (
                entries.get((name, packaged))
                or entries.get((name, True))
                or (ModelEntry(name=name), shown)
            )
            found[name] = Model(name, resource, path, shown, packaged, _read(path), entry, where)
    return found


def _find_tests(project_dir: Path) -> list[SqlFile]:
    found: dict[str, SqlFile] = {}
    for root in (resources.SQL, project_dir / "sql"):
        for path in sorted((root / "tests").rglob("*.sql")):
            found[path.stem] = SqlFile(path.stem, path, _shown(path, root), _read(path))
    return list(found.values())


def _shown(path: Path, root: Path) -> str:
    return str(Path("sql") / path.relative_to(root))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("The file cannot be read as UTF-8 text.", where=str(path)) from error


def _check_entries(
    schemas: Iterable[tuple[SchemaFile, YamlFile, bool]], models: Mapping[str, Model]
) -> None:
    for schema, document, _ in schemas:
        for key in ("models", "seeds"):
            for index, entry in enumerate(getattr(schema, key)):
                if entry.name not in models:
                    raise ConfigError(
                        f"There is no {key.removesuffix('s')} '{entry.name}'.",
                        where=document.where(key, index, "name"),
                        hint=did_you_mean(entry.name, models),
                    )
        for index, test in enumerate(schema.unit_tests):
            if test.model not in models:
                raise ConfigError(
                    f"The unit test '{test.name}' is for '{test.model}', which is no model.",
                    where=document.where("unit_tests", index, "model"),
                    hint=did_you_mean(test.model, models),
                )


def _check_vars(
    values: ProjectVars, models: Mapping[str, Model], project_dir: Path, document: YamlFile
) -> None:
    """Refuse a variable that nothing reads: it is most likely a misspelling."""
    extra = values.model_extra or {}
    if not extra:
        return
    written = (document.data or {}).get("vars") or {}
    texts = [model.text for model in models.values() if not model.packaged]
    texts += [path.read_text("utf-8") for path in (project_dir / "macros").rglob("*.sql")]
    texts += [path.read_text("utf-8") for path in (project_dir / "sql" / "tests").rglob("*.sql")]
    for name in extra:
        if not any(re.search(rf"\bvar\s*\(\s*['\"]{re.escape(name)}['\"]", t) for t in texts):
            raise ConfigError(
                f"No model reads the variable '{name}'.",
                where=document.where("vars", name) if name in written else "--vars",
                hint=did_you_mean(name, ProjectVars.model_fields),
            )


def _check_model_keys(
    config: ProjectConfig, models: Mapping[str, Model], document: YamlFile
) -> None:
    for name, given in config.models.items():
        if name not in models:
            raise ConfigError(
                f"There is no model '{name}' to configure.",
                where=document.where("models", name),
                hint=did_you_mean(name, models),
            )
        known = CONFIG_KEYS | set(MODEL_OPTIONS[name].model_fields if name in MODEL_OPTIONS else ())
        if algorithm_of(models[name].text) is not None:
            # Its options are the algorithm's, which knows them when the model is parsed.
            continue
        for key in given:
            if key not in known:
                raise ConfigError(
                    f"The model {name} has no option '{key}'.",
                    where=document.where("models", name, key),
                    hint=did_you_mean(key, known),
                )


def _check_segment_map(name: str, models: Mapping[str, Model], document: YamlFile) -> None:
    known = [each[len(_MAP) :] for each in models if each.startswith(_MAP)]
    if name in known:
        return
    match = nearest(name, known)
    meant = f"Did you mean '{match}'? " if match else ""
    raise ConfigError(
        f"There is no segment map '{name}'.",
        where=document.where("models", "rfm", "segment_map"),
        hint=f"{meant}Known: {', '.join(known)}; a map of your own is sql/seeds/{_MAP}<name>.csv.",
    )


def algorithm_of(text: str) -> str | None:
    """Return the algorithm that the text of a model is materialized by, if it is one."""
    found = _ALGORITHM_MODEL.search(text)
    return None if found is None else found[1]


def missing_columns(
    needs: Mapping[str, Iterable[str]], mapped: Mapping[str, set[str]]
) -> list[tuple[str, str]]:
    """Return each (input, column) that a model needs and the project does not map.

    An amount is also there when quantity and unit_price are.

    >>> missing_columns({"order_lines": ["amount"]}, {"order_lines": {"quantity", "unit_price"}})
    []
    >>> missing_columns({"order_lines": ["customer_id"]}, {})
    [('order_lines', 'customer_id')]
    """
    missing = []
    for name, columns in needs.items():
        has = set(mapped.get(name, ()))
        if {"quantity", "unit_price"} <= has:
            has.add("amount")
        missing += [(name, column) for column in columns if column not in has]
    return missing
