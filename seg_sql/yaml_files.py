"""YAML files whose errors name the line, and pydantic models whose errors name the key."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from jinja2.exceptions import TemplateError
from jinja2.sandbox import SandboxedEnvironment
from pydantic import BaseModel, ValidationError

from seg_sql.errors import ConfigError, nearest

Model = TypeVar("Model", bound=BaseModel)

_DATE = re.compile(r"\b(\d{4})-(\d\d?)-(\d\d?)\b")


# libyaml's parser is ten times faster, where the wheel has it.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SafeLoader):  # type: ignore[misc]
    """Reads YAML, refusing a key that is given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key '{key}' is given twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


@dataclass(frozen=True)
class YamlFile:
    """A YAML file, its data, and the line that each key stands on."""

    path: Path
    text: str

    @classmethod
    def read(cls, path: Path) -> YamlFile:
        """Read a file and make sure that it is YAML."""
        try:
            text = path.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise ConfigError(
                f"The file cannot be read: {error.strerror}.", where=str(path)
            ) from error
        except UnicodeDecodeError as error:
            raise ConfigError("The file is not UTF-8 text.", where=str(path)) from error
        document = cls(path, text)
        _ = document.data
        return document

    @cached_property
    def data(self) -> Any:
        """The content; None for an empty file."""
        try:
            # What `line` reads is made on the way: to parse a file takes most of the time.
            loader = _Loader(self.text)
            try:
                self.__dict__["_node"] = node = loader.get_single_node()
                return None if node is None else loader.construct_document(node)
            finally:
                loader.dispose()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = f"{self.path}:{mark.line + 1}" if mark else str(self.path)
            raise ConfigError(f"Not valid YAML: {error.problem}.", where=where) from error
        except yaml.YAMLError as error:
            raise ConfigError(f"Not valid YAML: {error}.", where=str(self.path)) from error
        except ValueError as error:
            # A date that does not exist: YAML takes what looks like one for one.
            line = _impossible_date(self.text)
            raise ConfigError(
                f"There is no such date: {error}.",
                where=str(self.path) if line is None else f"{self.path}:{line}",
                hint="Write it as 2026-12-31.",
            ) from error

    @cached_property
    def _node(self) -> yaml.Node | None:
        return yaml.compose(self.text, Loader=_SafeLoader)

    def line(self, *keys: str | int) -> int:
        """Return the line, from 1, of the deepest of `keys` that is in the file."""
        node, line = self._node, 1
        for key in keys:
            if isinstance(node, yaml.MappingNode):
                found = [pair for pair in node.value if pair[0].value == str(key)]
                if not found:
                    break
                line, node = found[0][0].start_mark.line + 1, found[0][1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(key, int):
                if key >= len(node.value):
                    break
                node = node.value[key]
                line = node.start_mark.line + 1
            else:
                break
        return line

    def where(self, *keys: str | int) -> str:
        """Return `file:line` of a key; what has no text, such as an option, has no lines."""
        return f"{self.path}:{self.line(*keys)}" if self.text else str(self.path)


def _impossible_date(text: str) -> int | None:
    r"""Return the line, from 1, of the first date that is not in the calendar.

    >>> _impossible_date("a: 2026-02-28\nb: 2026-02-30")
    2
    """
    for number, line in enumerate(text.splitlines(), 1):
        for year, month, day in _DATE.findall(line):
            try:
                datetime.date(int(year), int(month), int(day))
            except ValueError:
                return number
    return None


def validate(
    model: type[Model],
    data: object,
    document: YamlFile,
    *,
    prefix: Sequence[str | int] = (),
    skip: int = 0,
    also: Iterable[str] = (),
) -> Model:
    """Validate `data` and turn the first fault into an error with file, line and suggestion.

    Args:
        model: What the data must fit.
        data: The value found in the file.
        document: The file.
        prefix: The keys that lead to `data` in the file.
        skip: How many leading parts of a fault's location are not in the file.
        also: Keys that may stand beside those of the model, and were taken out before.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        # A union adds the name of its member to the location: it is no key of the file.
        loc = [part for part in first["loc"][skip:] if not _is_tag(part)]
        where = document.where(*prefix, *loc)
        key = ".".join(str(part) for part in (*prefix, *loc))
        if first["type"] == "extra_forbidden":
            name = str(loc[-1])
            known = _known_keys(model, first["loc"][:-1])
            known += [] if first["loc"][:-1] else also
            match = nearest(name, known)
            hint = f"Did you mean '{match}'?" if match else f"Known keys: {', '.join(known)}."
            raise ConfigError(f"Unknown key '{key}'.", where=where, hint=hint) from None
        if first["type"] == "missing":
            raise ConfigError(f"'{key}' is missing.", where=where) from None
        said = _in_words(first["type"], first["msg"], first["input"])
        raise ConfigError(f"'{key}': {said}" if key else said, where=where) from None


# What a value must be, by the beginning of the name that pydantic has for the fault.
_EXPECTED = {
    "int_": "a whole number",
    "float_": "a number",
    "finite_number": "a finite number",
    "bool_": "true or false",
    "string_type": "text",
    "list_": "a list",
    "tuple_": "a list",
    "dict_": "a mapping, as in {key: value}",
    "model_": "a mapping, as in {key: value}",
    "date_": "a date, as in 2026-12-31",
    "string_pattern_mismatch": "lower-case letters, digits and _, beginning with a letter",
}


def _in_words(kind: str, message: str, given: object) -> str:
    """Return a fault in the words of a person who has no Python.

    >>> _in_words("int_parsing", "Input should be a valid integer, unable to ...", "x")
    "must be a whole number, not 'x'."
    >>> _in_words("less_than_equal", "Input should be less than or equal to 9", 12)
    'must be less than or equal to 9, not 12.'
    >>> _in_words("value_error", "Value error, cut points must ascend", [3, 1])
    'cut points must ascend.'
    """
    expected = next((word for start, word in _EXPECTED.items() if kind.startswith(start)), None)
    if expected is None and not message.startswith("Input should "):
        said = message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
        return said if said.endswith((".", "?")) else f"{said}."
    said = f"must be {expected}" if expected else f"must {message.removeprefix('Input should ')}"
    plain = isinstance(given, str | int | float) and len(str(given)) < 40
    return f"{said}, not {given!r}." if plain else f"{said}."


def _is_tag(part: str | int) -> bool:
    return isinstance(part, str) and (
        "[" in part
        or part.startswith(("constrained-", "function-"))
        or part in ("str", "int", "float", "bool", "duckdb", "postgres")
    )


def _known_keys(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """Return the keys that are known where a location points, as far as types tell."""
    current: Any = model
    for part in loc:
        current = _step(current, part)
    models = _models_in(current)
    if isinstance(loc[-1] if loc else None, str):
        tagged = [m for m in models if _tag(m) == loc[-1]]
        models = tagged or models
    keys = [field.alias or name for found in models for name, field in found.model_fields.items()]
    return list(dict.fromkeys(keys))


def _step(annotation: Any, part: str | int) -> Any:
    for found in _models_in(annotation):
        for name, field in found.model_fields.items():
            if part in (name, field.alias):
                return field.annotation
    return annotation


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for inner in get_args(annotation) for found in _models_in(inner)]


def _tag(model: type[BaseModel]) -> object:
    field = model.model_fields.get("type")
    return field.default if field else None


_ENVIRONMENT = SandboxedEnvironment()


def render_env(text: str, where: str) -> str:
    """Render `{{ env_var('NAME') }}` and `{{ env_var('NAME', 'default') }}` in a setting."""
    if "{{" not in text and "{%" not in text:
        return text

    def env_var(name: str, default: str | None = None) -> str:
        value = os.environ.get(name, default)
        if value is None:
            raise ConfigError(
                f"The environment variable {name} is not set.",
                where=where,
                hint=f"Set it, or give a default: {{{{ env_var('{name}', '...') }}}}.",
            )
        return value

    try:
        return _ENVIRONMENT.from_string(text).render(env_var=env_var)
    except TemplateError as error:
        raise ConfigError(f"The setting cannot be rendered: {error}.", where=where) from error
