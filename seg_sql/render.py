"""Templates to SQL: a sandboxed, strict Jinja environment with dbt's functions and our macros."""

from __future__ import annotations

import contextlib
import datetime
import difflib
import os
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from types import CodeType
from typing import Any, NoReturn

from jinja2 import (
    FileSystemBytecodeCache,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
)
from jinja2.sandbox import SandboxedEnvironment

from seg_sql.errors import ParseError, SegSqlError, did_you_mean
from seg_sql.project import Project

READS_VAR = re.compile(r"\bvar\(\s*['\"](\w+)['\"]")
"""Where a template reads a variable, or the options of a model, and which."""

_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")


@dataclass(frozen=True)
class Rendered:
    """A template's SQL and what it asked for while it was rendered."""

    sql: str
    config: Mapping[str, Any]
    refs: tuple[str, ...]
    inputs: tuple[str, ...]


@dataclass
class _Asked:
    """Collects what a template asks for; lives for one rendering."""

    config: dict[str, Any] = field(default_factory=dict)
    refs: list[str] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)


class _Config:
    """The `config(...)` of a template; `config.get` and `config.require` read what was given."""

    def __init__(self, asked: _Asked, known: Mapping[str, Any]) -> None:
        self._asked = asked
        self._known = known

    def __call__(self, *positional: Mapping[str, Any], **given: Any) -> str:
        for mapping in positional:
            self._asked.config.update(mapping)
        self._asked.config.update(given)
        return ""

    def get(self, key: str, default: Any = None) -> Any:
        return self._asked.config.get(key, self._known.get(key, default))


class _Macros:
    """The macros of a package as attributes, as in `seg_sql.round('x')`."""

    def __init__(self, macros: Mapping[str, Callable[..., str]]) -> None:
        self._macros = macros

    def __getattr__(self, name: str) -> Callable[..., str]:
        if name.startswith("_") or name not in self._macros:
            raise ParseError(
                f"There is no macro seg_sql.{name}.",
                hint=did_you_mean(name, [key for key in self._macros if "__" not in key]),
            )
        return self._macros[name]


class _Adapter:
    """Chooses the macro of the dialect, as dbt's `adapter.dispatch` does."""

    def __init__(self, dialect: str, macros: Mapping[str, Callable[..., str]]) -> None:
        self._dialect = dialect
        self._macros = macros

    def dispatch(self, name: str, package: str = "seg_sql") -> Callable[..., str]:
        for prefix in (self._dialect, "default"):
            if (found := self._macros.get(f"{prefix}__{name}")) is not None:
                return found
        raise ParseError(f"The macro {name} has no form for {self._dialect}, and no default.")

    def quote(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'


# Compiling a template costs more than rendering it, and every renderer has the same templates.
_ENVIRONMENT_SETTINGS: dict[str, Any] = {
    "undefined": StrictUndefined,
    "extensions": ["jinja2.ext.do"],
    "autoescape": False,
}


@lru_cache(maxsize=1000)
def _code(text: str, shown: str) -> CodeType:
    environment = _compiler()
    kept = _bytecode_cache()
    if kept is None:
        return environment.compile(text, name=shown, filename=shown)
    bucket = kept.get_bucket(environment, shown, shown, text)
    if bucket.code is None:
        bucket.code = environment.compile(text, name=shown, filename=shown)
        with contextlib.suppress(OSError):
            kept.set_bucket(bucket)
    return bucket.code


@cache
def _compiler() -> SandboxedEnvironment:
    """Return the environment that templates are compiled in; none is rendered in it."""
    return SandboxedEnvironment(**_ENVIRONMENT_SETTINGS)


@cache
def _bytecode_cache() -> FileSystemBytecodeCache | None:
    """Return jinja's cache of compiled templates, in a folder that is this user's alone."""
    try:
        return FileSystemBytecodeCache()
    except (RuntimeError, OSError):
        return None


class Renderer:
    """Renders the templates of a project for one dialect.

    Args:
        project: The project.
        dialect: Which form of each macro is used.
        target: What `target` is in a template.
        context: Further functions for templates, such as `ref`; a rendering may replace them.
    """

    def __init__(
        self,
        project: Project,
        dialect: str,
        *,
        target: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        self.project = project
        self.dialect = dialect
        self._vars = project.template_vars()
        self._environment = SandboxedEnvironment(**_ENVIRONMENT_SETTINGS)
        self._compiled: dict[tuple[str, str], Template] = {}
        macros: dict[str, Callable[..., str]] = {}
        self.macro_names: set[str] = set()
        self._environment.globals.update(
            adapter=_Adapter(dialect, macros),
            seg_sql=_Macros(macros),
            var=self._var,
            env_var=_env_var,
            exceptions=_Exceptions(),
            target=dict(target or {}),
            **(context or {}),
        )
        for path in project.macros:
            module = self._load_macros(path)
            macros.update(module)
            if not path.is_relative_to(project.dir) or path.parent == project.dir / "macros":
                self.macro_names |= module.keys()
            self._environment.globals.update(
                {k: v for k, v in module.items() if path.is_relative_to(project.dir)}
            )

    def _load_macros(self, path: Path) -> dict[str, Callable[..., str]]:
        template = self._template(path.read_text("utf-8"), str(path))
        with self._errors_at(str(path)):
            module = template.make_module()
        return {
            name: macro
            for name, macro in vars(module).items()
            if not name.startswith("_") and callable(macro)
        }

    def _var(self, name: str, default: Any = ...) -> Any:
        if name in self._vars:
            value = self._vars[name]
            return value.isoformat() if isinstance(value, datetime.date) else value
        if default is not ...:
            return default
        raise ParseError(
            f"The variable '{name}' is not set.",
            hint=f"{did_you_mean(name, self._vars)} Set it under vars: in seg_sql.yml.",
        )

    def set_variables(self, changed: Mapping[str, Any]) -> None:
        """Let `var()` find other values from now on."""
        self._vars = {**self._vars, **changed}

    def variable(self, name: str) -> Any:
        """Return what `var(name)` gives, or None."""
        return self._vars.get(name)

    @contextmanager
    def variables(self, changed: Mapping[str, Any]) -> Iterator[None]:
        """Let `var()` find other values for a while."""
        before = self._vars
        self._vars = {**before, **changed}
        try:
            yield
        finally:
            self._vars = before

    def render(
        self,
        text: str,
        shown: str,
        *,
        config: Mapping[str, Any] | None = None,
        ref: Callable[[str], str] | None = None,
        input: Callable[[str], str] | None = None,
        **context: Any,
    ) -> Rendered:
        """Render a template.

        Args:
            text: The template.
            shown: The file as errors name it.
            config: What is known of the model's config beside its own `config()`.
            ref: Gives the relation of a model by name.
            input: Gives the relation of an input by name.
            context: Further names for this rendering only.
        """
        asked = _Asked()

        def ref_(*names: str) -> str:
            name = names[-1]
            asked.refs.append(name)
            return ref(name) if ref else f'"{name}"'

        def input_(name: str) -> str:
            asked.inputs.append(name)
            return input(name) if input else f'"{name}"'

        names = {
            "config": _Config(asked, config or {}),
            "ref": ref_,
            "input": input_,
            **context,
        }
        with self._errors_at(shown):
            sql = self._template(text, shown).render(names)
        return Rendered(
            sql=_BLANK_LINES.sub("\n\n", sql).strip(),
            config=asked.config,
            refs=tuple(dict.fromkeys(asked.refs)),
            inputs=tuple(dict.fromkeys(asked.inputs)),
        )

    def _template(self, text: str, shown: str) -> Template:
        key = (text, shown)
        if key not in self._compiled:
            with self._errors_at(shown):
                code = _code(text, shown)
            self._compiled[key] = Template.from_code(
                self._environment, code, self._environment.make_globals(None)
            )
        return self._compiled[key]

    @contextmanager
    def _errors_at(self, shown: str) -> Iterator[None]:
        """Give an error that happens in a template its file and line."""
        try:
            yield
        except TemplateSyntaxError as error:
            where = f"{error.filename or shown}:{error.lineno}"
            raise ParseError(f"{_sentence(error.message)}", where=where) from error
        except SegSqlError as error:
            if error.where is None:
                error.where = _template_line(error, shown)
            raise
        except TemplateError as error:
            where = _template_line(error, shown)
            raise ParseError(_sentence(error.message), where=where) from error
        except (TypeError, ValueError, KeyError, ArithmeticError) as error:
            where = _template_line(error, shown)
            raise ParseError(_sentence(str(error)), where=where) from error


class _Exceptions:
    """dbt's `exceptions`, as far as a template may stop itself."""

    def raise_compiler_error(self, message: str) -> NoReturn:
        raise ParseError(message)


def _env_var(name: str, default: str | None = None) -> str:
    value = os.environ.get(name, default)
    if value is None:
        raise ParseError(f"The environment variable {name} is not set.")
    return value


def _template_line(error: BaseException, shown: str) -> str:
    """Return `file:line` of the deepest frame of an error that is in the template."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == shown
    ]
    return f"{shown}:{lines[-1]}" if lines else shown


def _sentence(message: str | None) -> str:
    text = (message or "The template cannot be rendered").strip()
    return text if text.endswith((".", "?", "!")) else f"{text}."


def template_line(template: str, rendered: str, line: int) -> int:
    r"""Return the line of a template that a line of its rendering most likely comes from.

    Rendering moves lines (a config block vanishes, a macro grows): the lines that both texts
    share are the anchors, and a line between two anchors counts from the one above it.

    >>> template_line("{{ config() }}\nselect\n    a", "select\n    a", 2)
    3
    >>> template_line("{{ config() }}\nselect\n    a", "select\n    a", 1)
    2
    >>> template_line("{{ config() }}\nselect a from {{ ref('b') }}", "select a from s.b", 1)
    2
    """
    made = [part.strip() for part in rendered.splitlines()]
    written = [part.strip() for part in template.splitlines()]
    matcher = difflib.SequenceMatcher(a=made, b=written, autojunk=False)
    index, place = line - 1, 0
    for tag, start, stop, other_start, other_stop in matcher.get_opcodes():
        if start <= index < stop:
            place = other_start if tag != "equal" else other_start + index - start
            if tag == "replace":
                place = min(other_start + index - start, max(other_stop - 1, other_start))
                alike = difflib.get_close_matches(made[index], written[other_start:other_stop], 1)
                place = written.index(alike[0], other_start) if alike else place
            break
        place = other_stop
    return min(place, max(len(written) - 1, 0)) + 1
