"""Lint models before they run: what does not mean the same on every engine."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from seg_sql.errors import ParseError
from seg_sql.events import Log, Said
from seg_sql.known_texts import KnownTexts
from seg_sql.render import template_line
from seg_sql.workspace import Workspace

if TYPE_CHECKING:
    from seg_sql.lint import Finding


def findings(workspace: Workspace, name: str) -> list[tuple[str, Finding]]:
    """Return what the linter says of a model, each with `file:line` of the template.

    Raises:
        ParseError: If the model is no SQL; it names the template's line.
    """
    from seg_sql.lint import SqlSyntaxError, lint

    model = workspace.nodes[name].model
    text = _opaque(workspace, name)
    types, relations = _read(workspace, name)
    try:
        found = lint(text, shown=model.shown, types=types, relations=relations)
    except SqlSyntaxError as error:
        line = template_line(model.text, text, error.line)
        raise ParseError(error.message, where=f"{model.shown}:{line}") from error
    return [(f"{model.shown}:{template_line(model.text, text, each.line)}", each) for each in found]


def _read(workspace: Workspace, name: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Return the types of the columns that a model reads, and the columns of each relation."""
    types: dict[str, str] = {}
    relations: dict[str, list[str]] = {}
    for ref in workspace.nodes[name].refs:
        columns = workspace.project.models[ref].entry.columns
        types.update({column.name: column.data_type for column in columns})
        if columns:
            relations[ref] = [column.name for column in columns]
    lines = workspace.project.config.inputs.get("order_lines")
    if lines is not None and "order_lines_clean" in relations:
        relations["order_lines_clean"] += [name.lower() for name in lines.attributes]
    return types, relations


def _opaque(workspace: Workspace, name: str) -> str:
    from seg_sql.lint import opaque_macros

    return workspace.opaque(name, opaque_macros(workspace.renderer.macro_names))


def check(workspace: Workspace, names: Iterable[str]) -> None:
    """Raise when a model leaves the portable subset, with every finding."""
    lines = [
        f"{place}: {finding.message} ({finding.rule})"
        for name in names
        if workspace.nodes[name].model.resource == "model"
        for place, finding in findings(workspace, name)
    ]
    if lines:
        raise ParseError(
            "\n  ".join(["Not portable:", *lines]),
            hint="Such SQL may run here, and mean something else on another engine.",
        )


def check_own(workspace: Workspace, names: Iterable[str], log: Log, texts: KnownTexts) -> None:
    """Look at a project's own models before a build, and say how many are not portable.

    The packaged models are linted when seg-sql is tested. A project that stays on one engine may
    use all that the engine knows, also what our parser does not: that is told and does not stop
    the build, since the database says it better when it is wrong. Text that is not one SELECT
    does. A text that an earlier run knows is not looked at again.

    Raises:
        ParseError: A model is another statement than SELECT, or several.
    """
    own = [
        name
        for name in names
        if not workspace.nodes[name].model.packaged
        and workspace.nodes[name].model.resource == "model"
    ]
    odd = []
    for name in own:
        text = json.dumps([_opaque(workspace, name), *_read(workspace, name)])
        if not texts.answer("is portable", text, partial(_is_portable, workspace, name)):
            odd.append(name)
    if odd:
        log(
            Said(
                f"Not portable to other engines: {', '.join(odd)}",
                hint="`seg-sql compile --lint` says where and why.",
            )
        )


def _is_portable(workspace: Workspace, name: str) -> bool:
    try:
        found = findings(workspace, name)
    except ParseError:
        _check_one_statement(workspace, name)
        return False
    for place, finding in found:
        if finding.rule == "one-select":
            raise ParseError(finding.message, where=place)
    return not found


def _check_one_statement(workspace: Workspace, name: str) -> None:
    """Refuse a second statement in a text that cannot be parsed."""
    from sqlglot.dialects.duckdb import DuckDB
    from sqlglot.errors import SqlglotError

    try:
        tokens = DuckDB().tokenize(_opaque(workspace, name))
    except (ParseError, SqlglotError):
        return
    kinds = [token.token_type.name for token in tokens]
    while kinds and kinds[-1] == "SEMICOLON":
        kinds.pop()
    if "SEMICOLON" in kinds:
        raise ParseError(
            "A model is one SELECT, with its CTEs on top and no second statement.",
            where=workspace.nodes[name].model.shown,
        )
