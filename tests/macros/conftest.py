"""Render a template with the macros for an engine, and run it over a column of values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from seg_sql.engines import Engine
from seg_sql.render import Renderer

MACROS = Path(__file__).parents[2] / "macros"


@cache
def renderer(dialect: str) -> Renderer:
    """Return the renderer of a project that has no models, so that only the macros are tested."""
    project: Any = SimpleNamespace(
        dir=MACROS.parent / "tests",
        macros=tuple(sorted(MACROS.glob("*.sql"))),
        template_vars=lambda: {"as_of": "2011-12-10"},
    )
    return Renderer(project, dialect)


@pytest.fixture
def render(engine: Engine) -> Callable[..., str]:
    """Give the engine's SQL of a template; further names are known in it."""

    def rendered(template: str, **names: Any) -> str:
        return renderer(engine.dialect).render(template, "a test", **names).sql

    return rendered


@pytest.fixture
def value(engine: Engine, render: Callable[..., str]) -> Callable[..., Any]:
    """Give the one value of an expression without columns."""

    def of(expression: str, **names: Any) -> Any:
        [[only]] = engine.fetch(f"select {render(expression, **names)} as only").rows
        return only

    return of


@pytest.fixture
def over_on() -> Callable[..., list[Any]]:
    """Give the values, on an engine, of an expression over a column `x`, in the order given."""

    def of(engine: Engine, expression: str, values: Sequence[object], kind: str) -> list[Any]:
        rendered = renderer(engine.dialect).render(expression, "a test").sql
        rows = ", ".join(
            f"({place}, cast({_quoted(each)} as {kind}))" for place, each in enumerate(values)
        )
        query = f"""
            select place, {rendered} as result
            from (values {rows}) as given (place, x)
            order by place
        """
        return [result for _, result in engine.fetch(query).rows]

    return of


@pytest.fixture
def over(engine: Engine, over_on: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """Give the values of an expression over a column `x`, in the order given."""

    def of(expression: str, values: Sequence[object], kind: str = "text") -> list[Any]:
        return over_on(engine, expression, values, kind)

    return of


def _quoted(value: object) -> str:
    return "null" if value is None else "'" + str(value).replace("'", "''") + "'"
