"""Data tests as they are declared: in schema.yml, and as files of sql/tests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from seg_sql import resources
from seg_sql.errors import (
    ConfigError,
    ParseError,
    SegSqlError,
    did_you_mean,
)
from seg_sql.generic_tests import ARGUMENTS, ON_COLUMN, Settings, SingularSettings
from seg_sql.lint_words import RESERVED
from seg_sql.nodes import Node
from seg_sql.project import Model, SqlFile
from seg_sql.workspace import Workspace
from seg_sql.yaml_files import YamlFile

_CALL = re.compile(r"^\s*(ref|input|source)\s*\(.*\)\s*$")
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")

Entry = TypeVar("Entry", bound=BaseModel)


@dataclass(frozen=True)
class Spec:
    """A data test as schema.yml gives it: a name, or a name with its arguments.

    Attributes:
        node: The node of the graph that the model belongs to.
        model: The model that it is given for, or the output of an algorithm.
        column: The column that it stands under, if it stands under one.
        given: The name, or the name and the arguments.
        index: Its place in the list; -1 for not_empty, which every model has of itself.
    """

    node: str
    model: Model
    column: str | None
    given: str | Mapping[str, Any]
    index: int

    @property
    def test(self) -> str:
        """Return the name of the test."""
        return self.given if isinstance(self.given, str) else next(iter(self.given), "")

    def where(self, *keys: str) -> str:
        """Return `file:line` of the test, or of one of its keys; only errors ask for it."""
        file = self.model.entry_where.rpartition(":")[0]
        try:
            document = YamlFile.read(Path(file))
            lead = self._path_in(document.data)
        except (ConfigError, LookupError, TypeError, ValueError):
            return self.model.entry_where
        line = max(
            document.line(*lead, name, self.index, self.test, *nest, *keys)
            for name in ("data_tests", "tests")
            for nest in ((), ("arguments",), ("config",))
        )
        return f"{file}:{line}"

    def _path_in(self, data: Mapping[str, Any]) -> list[str | int]:
        kind = f"{self.model.resource}s"
        names = [entry["name"] for entry in data[kind]]
        place = names.index(self.model.name)
        if self.column is None:
            return [kind, place]
        columns = [column["name"] for column in data[kind][place]["columns"]]
        return [kind, place, "columns", columns.index(self.column)]


@dataclass(frozen=True)
class DataTest:
    """A data test of one model, ready to be rendered.

    Attributes:
        name: Unique in the project.
        model: The model whose rows it looks at.
        file: The template.
        arguments: What the template is given.
        after: Every model it reads; it runs after the last of them.
        settings: Severity and the like.
        spec: Where it comes from; None for a test of its own in sql/tests.
    """

    name: str
    model: str
    file: SqlFile
    arguments: Mapping[str, Any]
    after: frozenset[str]
    settings: Settings
    spec: Spec | None = None

    @property
    def where(self) -> str:
        """Return the file and line of the test."""
        return self.file.shown if self.spec is None else self.spec.where()


def data_tests(workspace: Workspace) -> list[DataTest]:
    """Return every data test of a project: those of schema.yml, not_empty, and the singular ones.

    Raises:
        SegSqlError: For a test that does not exist, or arguments that do not fit.
    """
    for file in workspace.project.generic_tests.values():
        if not re.search(r"\bmodel\b", file.text):
            raise ConfigError(
                "The test reads no model.",
                where=file.shown,
                hint="Read models with ref('...'); a test that schema.yml calls by name selects"
                " from {{ model }}.",
            )
    found: list[DataTest] = []
    for node in workspace.nodes.values():
        for spec in _specs(node):
            test = _data_test(workspace, spec)
            found += [] if test is None else [test]
    for file in workspace.project.singular_tests.values():
        test = _singular(workspace, file)
        found += [] if test is None else [test]
    counts: dict[str, int] = {}
    named = []
    for test in found:
        counts[test.name] = counts.get(test.name, 0) + 1
        number = counts[test.name]
        named.append(test if number == 1 else replace(test, name=f"{test.name}_{number}"))
    return named


def _specs(node: Node) -> Iterator[Spec]:
    for part, model in node.outputs.items():
        specs = [
            Spec(node.name, model, None, given, index)
            for index, given in enumerate(model.entry.data_tests)
        ]
        # Of an algorithm's outputs some may be empty: nothing was left out, nothing to match.
        if node.builds and not part and all(spec.test != "not_empty" for spec in specs):
            yield Spec(node.name, model, None, "not_empty", -1)
        yield from specs
        for column in model.entry.columns:
            for index, given in enumerate(column.data_tests):
                yield Spec(node.name, model, column.name, given, index)


def _data_test(workspace: Workspace, spec: Spec) -> DataTest | None:
    """Return a data test of schema.yml; None if it is switched off."""
    file = workspace.project.generic_tests.get(spec.test)
    if file is None:
        raise ConfigError(
            f"There is no data test '{spec.test}'.",
            where=spec.where(),
            hint=did_you_mean(spec.test, workspace.project.generic_tests),
        )
    arguments, column = _arguments(spec), spec.column
    reads = {spec.node}
    given = {}
    for key in arguments.keys() & Settings.model_fields.keys():
        given[key], refs = _rendered(arguments.pop(key), workspace, spec)
        reads |= {workspace.owners.get(ref, ref) for ref in refs}
    settings = _checked(Settings, given, spec)
    if not settings.enabled:
        return None
    kind = ARGUMENTS.get(spec.test) if file.path.is_relative_to(resources.SQL) else None
    if kind is not None:
        if spec.test in ON_COLUMN:
            # dbt's way to test an expression, or a column that is not described.
            column = arguments.pop("column_name", column)
            if column is None:
                raise ConfigError(
                    f"The data test {spec.test} of {spec.model.name} is about a column.",
                    where=spec.where(),
                    hint="Write it under a column, or add column_name.",
                )
        arguments = _checked(kind, arguments, spec, settings=Settings).model_dump()
    for value in arguments.values():
        reads |= {workspace.owners.get(ref, ref) for ref in _rendered(value, workspace, spec)[1]}
    if any(name not in workspace.nodes for name in reads):
        return None
    names = {entry.name for entry in spec.model.entry.columns}
    quoted = {
        key: [_identifier(each, workspace) if each in names else each for each in value]
        if key == "combination_of_columns"
        else value
        for key, value in arguments.items()
    }
    under = None if column is None else _identifier(column, workspace, only=names)
    return DataTest(
        name=settings.name
        or "_".join(filter(None, (spec.test, spec.model.name, _in_words(spec.column)))),
        model=spec.model.name,
        file=file,
        arguments={"column_name": under, **quoted},
        after=frozenset(reads),
        settings=settings,
        spec=spec,
    )


def _arguments(spec: Spec) -> dict[str, Any]:
    """Return what a test is given; dbt writes some of it under arguments and config."""
    if isinstance(spec.given, str):
        return {}
    given = next(iter(spec.given.values()), None)
    if len(spec.given) != 1 or not isinstance(given, Mapping | None):
        raise ConfigError(
            f"A data test is a name with its arguments below it, not"
            f" {', '.join(map(str, spec.given))}.",
            where=spec.where(),
            hint="Indent the arguments further than the name.",
        )
    nested = [(given or {}).get(key) or {} for key in ("arguments", "config")]
    return {
        **{
            key: value for key, value in (given or {}).items() if key not in ("arguments", "config")
        },
        **nested[0],
        **nested[1],
    }


def _checked(
    kind: type[Entry],
    given: Mapping[str, Any],
    spec: Spec,
    *,
    settings: type[BaseModel] | None = None,
) -> Entry:
    """Validate arguments and say at which line they do not fit."""
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        keys = [str(part) for part in first["loc"][:1]]
        what = f"The data test {spec.test} of {spec.model.name}"
        where = spec.where(*keys)
        if first["type"] == "extra_forbidden":
            known = [*kind.model_fields, *(settings.model_fields if settings else ())]
            raise ConfigError(
                f"{what} has no argument '{keys[0]}'.",
                where=where,
                hint=did_you_mean(keys[0], known),
            ) from None
        if first["type"] == "missing":
            raise ConfigError(f"{what} lacks '{keys[0]}'.", where=where) from None
        if first["type"] == "string_pattern_mismatch" and keys[0].endswith("_if"):
            said = f"'{first['input']}' is no condition on a number of rows; write '> 10'"
        elif first["type"] == "string_pattern_mismatch":
            said = f"'{first['input']}' has other characters than letters, digits and _"
        else:
            said = first["msg"].removeprefix("Value error, ")
        key = f"{keys[0]}: " if keys else ""
        raise ConfigError(f"{what}: {key}{said}.", where=where) from None


def _identifier(name: str, workspace: Workspace, *, only: Iterable[str] | None = None) -> str:
    """Return a column's name as SQL reads it; what is no described column may be an expression."""
    if only is not None and name not in only:
        return name
    plain = _PLAIN_NAME.fullmatch(name) and name not in RESERVED
    return name if plain else workspace.source(name)


def _in_words(name: str | None) -> str | None:
    return None if name is None else re.sub(r"\W+", "_", name)


def _rendered(value: Any, workspace: Workspace, spec: Spec) -> tuple[Any, tuple[str, ...]]:
    """Render an argument; return it, and the models it reads; ref('x') stays as it is."""
    if isinstance(value, list):
        parts = [_rendered(each, workspace, spec) for each in value]
        return [part for part, _ in parts], tuple(ref for _, refs in parts for ref in refs)
    template = as_template(value)
    if template is None:
        return value, ()
    try:
        with workspace.before_reading():
            rendered = workspace.renderer.render(template, "schema.yml")
    except SegSqlError as error:
        error.where = spec.where()
        raise
    _check_refs(rendered.refs, workspace, spec.where)
    # A ref is resolved when the test runs: until then nothing is known of hidden relations.
    return (value if rendered.refs else rendered.sql), rendered.refs


def _check_refs(refs: Iterable[str], workspace: Workspace, where: Any) -> None:
    for name in refs:
        if name not in workspace.project.models and name not in workspace.owners:
            raise ParseError(
                f"The test reads '{name}', which is no model.",
                where=where(),
                hint=did_you_mean(name, workspace.owners),
            )


def _singular(workspace: Workspace, file: SqlFile) -> DataTest | None:
    """Return a test of its own in sql/tests; None if it is switched off."""
    with workspace.before_reading():
        rendered = workspace.renderer.render(file.text, file.shown)
    _check_refs(rendered.refs, workspace, lambda: file.shown)
    reads = frozenset(workspace.owners.get(ref, ref) for ref in rendered.refs)
    if not reads <= workspace.nodes.keys():
        return None
    try:
        settings = SingularSettings.model_validate(dict(rendered.config))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = str(first["loc"][0])
        known = key in SingularSettings.model_fields
        raise ConfigError(
            f"config({key}=...): {first['msg']}." if known else f"A test has no config '{key}'.",
            where=file.shown,
            hint=None if known else did_you_mean(key, SingularSettings.model_fields),
        ) from None
    if not settings.enabled:
        return None
    last = max(reads, key=workspace.graph.order.index)
    return DataTest(file.name, last, file, {}, reads, settings)


def attach(tests: Iterable[DataTest], order: Sequence[str]) -> dict[str, list[DataTest]]:
    """Return the tests by the model after which each runs: the last one that it reads."""
    by_model: dict[str, list[DataTest]] = {}
    for test in tests:
        by_model.setdefault(max(test.after, key=order.index), []).append(test)
    return by_model


def as_template(value: Any) -> str | None:
    """Return the template that an argument of a test is; None for plain text and other values.

    >>> as_template("ref('rfm')"), as_template("{{ var('x') }}"), as_template("rfm"), as_template(3)
    ("{{ ref('rfm') }}", "{{ var('x') }}", None, None)
    """
    if not isinstance(value, str):
        return None
    if "{{" in value:
        return value
    return f"{{{{ {value} }}}}" if _CALL.match(value) else None
