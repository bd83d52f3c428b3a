"""Unit tests: given rows in the place of what a model reads, and the rows expected of it."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from seg_sql import inputs as inputs_
from seg_sql import resources
from seg_sql.config import INPUT_COLUMNS, InputConfig, UnitGiven, UnitRows
from seg_sql.csv_rows import kind_of, read_csv
from seg_sql.errors import ConfigError, DatabaseError, SegSqlError, did_you_mean
from seg_sql.events import Status, TestFinished
from seg_sql.given_rows import rows_sql, sql_type
from seg_sql.options import MODEL_OPTIONS, ProjectVars
from seg_sql.project import UnitTest
from seg_sql.raw_relations import render_step
from seg_sql.row_diff import row_diff
from seg_sql.sql_errors import lines_around
from seg_sql.workspace import Workspace

Model = TypeVar("Model", bound=BaseModel)


def run_unit_test(test: UnitTest, workspace: Workspace) -> TestFinished:
    """Run a unit test: the model over the given rows, compared with the expected rows."""
    started = time.perf_counter()
    status: Status
    sql = ""
    try:
        pinned = _pinned(test, workspace)
        with pinned.renderer.variables(
            {"as_of_reason": "after as_of", **test.entry.overrides.vars}
        ):
            sql = _over_given_rows(test, pinned, workspace)
        actual = workspace.engine.fetch(sql)
        expected = _expected(test.entry.expect, test, workspace)
        columns = list(dict.fromkeys(key for row in expected for key in row)) or list(
            actual.columns
        )
        absent = [column for column in columns if column not in actual.columns]
        if absent:
            raise ConfigError(
                f"The model {test.entry.model} yields no column '{absent[0]}'.",
                where=test.where,
                hint=did_you_mean(absent[0], actual.columns),
            )
        diff = row_diff(
            columns,
            [tuple(row.get(column) for column in columns) for row in expected],
            [tuple(row[column] for column in columns) for row in actual.dicts()],
            tolerance=test.entry.tolerance,
        )
        status = "fail" if diff else "pass"
        message = test.entry.description if diff else ""
    except SegSqlError as error:
        diff = ""
        if isinstance(error, DatabaseError):
            if error.lost:
                raise
            diff = "\n".join(lines_around(error, sql))
        error.where = error.where or test.where
        status, message = "error", str(error)
    return TestFinished(
        name=f"{test.entry.model}::{test.entry.name}",
        kind="unit",
        model=test.entry.model,
        status=status,
        seconds=time.perf_counter() - started,
        failures=1 if status == "fail" else 0,
        message=message,
        detail=diff,
        compiled=sql,
    )


def _over_given_rows(test: UnitTest, pinned: Workspace, real: Workspace) -> str:
    """Return the model as one statement, with what it reads as the CTEs around it.

    A ref is then a plain name, which PostgreSQL before 16 reads without an alias as well. The
    name is none that a model would give to a CTE of its own.
    """
    given = {_called(item.input, test): item for item in test.entry.given}
    ctes: dict[tuple[str, str], str] = {}

    def read(kind: str, name: str) -> str:
        node = real.nodes.get(name)
        if (kind, name) in given and kind == "input":
            rows = pinned.input(name).sql
        elif (kind, name) in given:
            rows = _given_rows(given[kind, name], name, test, pinned, real)
        elif kind == "ref" and node is not None and not node.builds:
            rows = pinned.compile(name, ref=ref, input=input_)
        else:
            raise ConfigError(
                f"The model {test.entry.model} reads {kind}('{name}'), for which the unit test"
                " gives no rows.",
                where=test.where,
                hint=f"Add: - input: {kind}('{name}'), with rows.",
            )
        ctes[kind, name] = rows
        return f"given_{kind}_{name}"

    ref, input_ = partial(read, "ref"), partial(read, "input")
    model = pinned.compile(test.entry.model, ref=ref, input=input_)
    _check_read(given, ctes, test)
    if not ctes:
        return model
    named = {f"given_{kind}_{name}": rows for (kind, name), rows in ctes.items()}
    path = resources.SQL / "runner" / "over_given_rows.sql"
    return pinned.renderer.render(
        path.read_text("utf-8"), "sql/runner/over_given_rows.sql", ctes=named, model=model
    ).sql


def _check_read(
    given: Iterable[tuple[str, str]], asked: Collection[tuple[str, str]], test: UnitTest
) -> None:
    """Refuse rows for what the model does not read: the test would not test what it says."""
    for kind, name in given:
        if (kind, name) not in asked:
            raise ConfigError(
                f"The unit test gives rows for {kind}('{name}'), which {test.entry.model} does"
                " not read.",
                where=test.where,
                hint=did_you_mean(name, [other for of, other in asked if of == kind]),
            )


def _valid(kind: type[Model], values: Mapping[str, Any], what: str, test: UnitTest) -> Model:
    """Validate what a unit test overrides."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        unknown = first["type"] == "extra_forbidden"
        said = "there is no such option" if unknown else first["msg"].removeprefix("Value error, ")
        raise ConfigError(
            f"overrides: {what}: {key}: {said}.",
            where=test.where,
            hint=did_you_mean(key, kind.model_fields) if unknown else None,
        ) from None


def _called(text: str, test: UnitTest) -> tuple[str, str]:
    match = re.match(r"^\s*(ref|input)\s*\(\s*['\"](\w+)['\"]\s*\)\s*$", text)
    if match is None:
        raise ConfigError(f"'{text}' is neither ref('...') nor input('...').", where=test.where)
    return match[1], match[2]


def _pinned(test: UnitTest, workspace: Workspace) -> Workspace:
    """Return a workspace whose inputs are the given rows.

    The options and variables of a packaged model's test are seg-sql's defaults and what the test
    overrides: a project's own settings do not change what is tested.
    """
    project = workspace.project
    overrides = test.entry.overrides
    for name in overrides.options:
        if name not in MODEL_OPTIONS:
            raise ConfigError(
                f"The model {name} has no options to override.",
                where=test.where,
                hint=did_you_mean(name, MODEL_OPTIONS),
            )
    base_vars = ProjectVars() if test.packaged else project.vars
    inputs: dict[str, InputConfig] = {}
    pinned_project = replace(
        project,
        config=project.config.model_copy(update={"inputs": inputs}),
        vars=_valid(ProjectVars, {**base_vars.model_dump(), **overrides.vars}, "vars", test),
        options={
            name: _valid(
                kind,
                {
                    **({} if test.packaged else project.options[name].model_dump()),
                    **overrides.options.get(name, {}),
                },
                f"options: {name}",
                test,
            )
            for name, kind in MODEL_OPTIONS.items()
        },
    )
    pinned = Workspace(
        pinned_project,
        workspace.connection,
        dialect=workspace.dialect,
        schema=workspace.schema,
        target_name=workspace.target_name,
    )
    for given in test.entry.given:
        kind, name = _called(given.input, test)
        if kind == "input":
            resolved = _given_input(given, name, test, pinned)
            pinned._inputs[name] = resolved
            inputs[name] = InputConfig(
                relation="given", columns={column: column for column in resolved.columns}
            )
    return pinned


def _given_input(
    given: UnitGiven, name: str, test: UnitTest, workspace: Workspace
) -> inputs_.Input:
    rows = _rows(given, test)
    names = list(dict.fromkeys(key for row in rows for key in row))
    known = INPUT_COLUMNS.get(name, {})
    columns = [
        {"name": column, "type": sql_type("", kind_of(rows, column), workspace.renderer)}
        for column in names
    ]
    source = f"({rows_sql(columns, rows, workspace.renderer)})"
    mapped = [
        {
            "name": column,
            "type": kind,
            "raw": f'"{column}"' if column in names else None,
            "raw_kind": kind_of(rows, column) if column in names else None,
            "flagged": column in names
            and name == "order_lines"
            and column in ("ordered_at", "quantity", "unit_price", "amount"),
        }
        for column, kind in known.items()
    ]
    sql = render_step(
        "mapped",
        workspace.renderer,
        columns=mapped,
        attributes=[],
        anonymous_ids=[],
        customer_id="customer_id",
        decimal_comma=False,
        date_order="ymd",
        source=source,
        conditions=[],
    )
    return inputs_.Input(name, sql, source, frozenset(names), (), False)


def _given_rows(
    given: UnitGiven, name: str, test: UnitTest, workspace: Workspace, real: Workspace
) -> str:
    entry = workspace.project.models[name].entry
    types = {column.name: column.data_type for column in entry.columns}
    rows = _rows(given, test, types)
    names = list(dict.fromkeys([*types, *(key for row in rows for key in row)]))
    if types and not types.keys() >= set(names):
        # No schema.yml knows an attribute, and yet it is a column of the models that carry it.
        types |= real.attribute_types(name)
    for key in names:
        if types and key not in types:
            raise ConfigError(
                f"{name} has no column '{key}' in its schema.yml.",
                where=test.where,
                hint=did_you_mean(key, types),
            )
    columns = [
        {
            "name": column,
            "type": sql_type(types.get(column, ""), kind_of(rows, column), workspace.renderer),
        }
        for column in names
    ]
    return rows_sql(columns, rows, workspace.renderer)


def _rows(
    given: UnitRows, test: UnitTest, declared: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    if given.fixture is not None:
        path = test.folder / given.fixture
        try:
            return read_csv(path.read_text("utf-8"), str(path), declared)[1]
        except OSError as error:
            raise ConfigError(
                f"The fixture {path} cannot be read: {error.strerror}.", where=test.where
            ) from error
    if isinstance(given.rows, str):
        return read_csv(given.rows, test.where, declared)[1] if given.rows.strip() else []
    return given.rows


def _expected(expect: UnitRows, test: UnitTest, workspace: Workspace) -> list[dict[str, Any]]:
    entry = workspace.project.models[test.entry.model].entry
    declared = {column.name: column.data_type for column in entry.columns}
    return _rows(expect, test, declared)
