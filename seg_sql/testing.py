"""Data tests: each is a SELECT of the bad rows (sql/tests/<test>.sql), and fails on any."""

from __future__ import annotations

import operator
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from seg_sql import resources
from seg_sql.config import ModelEntry
from seg_sql.engines import Engine
from seg_sql.errors import ConfigError, DatabaseError, ParseError, SegSqlError, did_you_mean
from seg_sql.events import Status, TestFinished
from seg_sql.project import SqlFile
from seg_sql.workspace import Workspace

_SETTINGS = ("severity", "where", "error_if", "warn_if", "name", "description", "enabled", "limit")
_REQUIRED = {
    "accepted_values": ("values",),
    "relationships": ("to", "field"),
    "unique_combination_of_columns": ("combination_of_columns",),
    "expression_is_true": ("expression",),
    "sums_to": ("value",),
}
_OPTIONAL: dict[str, dict[str, Any]] = {
    "accepted_range": {"min_value": None, "max_value": None, "inclusive": True},
    "row_count_between": {"min_value": None, "max_value": None},
    "sums_to": {"tolerance": 1e-9},
}
_CALL = re.compile(r"^\s*(ref|input|source)\s*\(.*\)\s*$")
_BOUND = re.compile(r"^\s*(>=|<=|!=|=|>|<)\s*(\d+)\s*$")
_COMPARE = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True)
class DataTest:
    """A data test of one model, ready to be rendered.

    Attributes:
        name: Unique in the project.
        model: The model whose rows it looks at.
        file: The template.
        arguments: What the template is given.
        after: Every model it reads; it runs after the last of them.
    """

    name: str
    model: str
    file: SqlFile
    arguments: Mapping[str, Any]
    after: frozenset[str]
    severity: str = "error"
    where: str | None = None
    error_if: str = "> 0"
    warn_if: str = "> 0"
    description: str = ""


def data_tests(workspace: Workspace) -> list[DataTest]:
    """Return every data test of a project: those of schema.yml, not_empty, and the singular ones."""
    project = workspace.project
    found: list[DataTest] = []
    for name, node in workspace.nodes.items():
        entry = node.model.entry
        if node.builds and not _mentions(entry, "not_empty"):
            found += _data_test(workspace, name, "not_empty", None, entry, node.model.entry_where)
        for spec in entry.data_tests:
            found += _data_test(workspace, name, spec, None, entry, node.model.entry_where)
        for column in entry.columns:
            for spec in column.data_tests:
                found += _data_test(
                    workspace, name, spec, column.name, entry, node.model.entry_where
                )
    for test in project.singular_tests.values():
        found += _singular(workspace, test)
    names = [test.name for test in found]
    return [
        replace(test, name=f"{test.name}_{names[: index + 1].count(test.name)}")
        if names[: index + 1].count(test.name) > 1
        else test
        for index, test in enumerate(found)
    ]


def _mentions(entry: ModelEntry, test: str) -> bool:
    return any(
        spec == test or (isinstance(spec, dict) and test in spec) for spec in entry.data_tests
    )


def _data_test(
    workspace: Workspace,
    model: str,
    spec: str | Mapping[str, Any],
    column: str | None,
    entry: ModelEntry,
    where: str,
) -> list[DataTest]:
    test, given = (spec, {}) if isinstance(spec, str) else _one_item(spec, where)
    file = workspace.project.generic_tests.get(test)
    if file is None:
        raise ConfigError(
            f"There is no data test '{test}'.",
            where=where,
            hint=did_you_mean(test, workspace.project.generic_tests),
        )
    arguments = {**given, **given.get("arguments", {}), **given.get("config", {})}
    for key in ("arguments", "config"):
        arguments.pop(key, None)
    settings = {
        key: _rendered(arguments.pop(key), workspace, where)[0]
        for key in _SETTINGS
        if key in arguments
    }
    if settings.get("enabled", True) in (False, "false", "False"):
        return []
    missing = [key for key in _REQUIRED.get(test, ()) if key not in arguments]
    if missing:
        raise ConfigError(f"The data test {test} of {model} lacks '{missing[0]}'.", where=where)
    known = {*_REQUIRED.get(test, ()), *_OPTIONAL.get(test, {})}
    packaged = file.path.is_relative_to(resources.SQL)
    unknown = [key for key in arguments if packaged and key not in known]
    if unknown:
        raise ConfigError(
            f"The data test {test} has no argument '{unknown[0]}'.",
            where=where,
            hint=did_you_mean(unknown[0], [*known, *_SETTINGS]),
        )
    reads = {model}
    values: dict[str, Any] = dict(_OPTIONAL.get(test, {}))
    for key, value in arguments.items():
        values[key], refs = _rendered(value, workspace, where)
        reads |= set(refs)
    if any(name not in workspace.nodes for name in reads):
        return []
    severity = str(settings.get("severity", "error")).lower()
    if severity not in ("error", "warn"):
        raise ConfigError(f"A severity is 'error' or 'warn', not '{severity}'.", where=where)
    return [
        DataTest(
            name=settings.get("name") or "_".join(filter(None, (test, model, column))),
            model=model,
            file=file,
            arguments={"column_name": column, **arguments, **values},
            after=frozenset(reads),
            severity=severity,
            where=settings.get("where"),
            error_if=str(settings.get("error_if", "> 0")),
            warn_if=str(settings.get("warn_if", "> 0")),
            description=settings.get("description", ""),
        )
    ]


def _one_item(spec: Mapping[str, Any], where: str) -> tuple[str, dict[str, Any]]:
    if len(spec) != 1:
        raise ConfigError(
            f"A data test is one name with its arguments, not {', '.join(map(str, spec))}.",
            where=where,
        )
    name, given = next(iter(spec.items()))
    return name, dict(given or {})


def _rendered(value: Any, workspace: Workspace, where: str) -> tuple[Any, tuple[str, ...]]:
    """Render an argument; return it, and the models it reads. A call such as ref('x') stays text."""
    if not isinstance(value, str) or not ("{{" in value or _CALL.match(value)):
        return value, ()
    template = value if "{{" in value else f"{{{{ {value} }}}}"
    with workspace.before_reading():
        rendered = workspace.renderer.render(template, where)
    # A ref is resolved when the test runs: until then nothing is known of hidden relations.
    return (value if rendered.refs else rendered.sql), rendered.refs


def _singular(workspace: Workspace, test: SqlFile) -> list[DataTest]:
    with workspace.before_reading():
        rendered = workspace.renderer.render(test.text, test.shown)
    reads = frozenset(rendered.refs)
    unknown = sorted(name for name in reads if name not in workspace.project.models)
    if unknown:
        raise ParseError(
            f"The test reads '{unknown[0]}', which is no model.",
            where=test.shown,
            hint=did_you_mean(unknown[0], workspace.nodes),
        )
    if not reads <= workspace.nodes.keys():
        return []
    given = dict(rendered.config)
    if given.get("enabled", True) in (False, "false", "False"):
        return []
    last = max(reads, key=workspace.graph.order.index)
    return [
        DataTest(
            name=test.name,
            model=last,
            file=test,
            arguments={},
            after=reads,
            severity=str(given.get("severity", "error")),
            where=None,
            error_if=str(given.get("error_if", "> 0")),
            warn_if=str(given.get("warn_if", "> 0")),
            description=str(given.get("description", "")),
        )
    ]


def attach(tests: Iterable[DataTest], order: Sequence[str]) -> dict[str, list[DataTest]]:
    """Return the tests by the model after which each runs: the last one that it reads."""
    by_model: dict[str, list[DataTest]] = {}
    for test in tests:
        by_model.setdefault(max(test.after, key=order.index), []).append(test)
    return by_model


def render_data_test(test: DataTest, workspace: Workspace) -> str:
    """Return a data test as the SELECT of its bad rows."""
    render = workspace.renderer.render

    def resolved(value: Any) -> Any:
        if isinstance(value, str) and ("{{" in value or _CALL.match(value)):
            template = value if "{{" in value else f"{{{{ {value} }}}}"
            return render(template, test.name, ref=workspace.ref_sql, input=workspace.input_sql).sql
        return value

    model = workspace.ref_sql(test.model)
    if test.where:
        where = resolved(test.where)
        model = f"(select * from {model} as all_rows where {where})"
    return render(
        test.file.text,
        test.file.shown,
        ref=workspace.ref_sql,
        input=workspace.input_sql,
        model=model,
        **{key: resolved(value) for key, value in test.arguments.items()},
    ).sql


def run_data_test(
    test: DataTest, workspace: Workspace, engine: Engine, *, store: bool = False
) -> tuple[TestFinished, str]:
    """Run a data test; return what it found and its SQL.

    With `store`, the bad rows are kept in the table `seg_sql_failures_<test>` of the schema.
    """
    started = time.perf_counter()
    sql = ""
    try:
        sql = render_data_test(test, workspace)
        if store:
            table = stored_failures_name(test.name)
            failures = engine.create(table, "table", sql) or 0
            if failures == 0:
                engine.drop(table)
        else:
            counting = (resources.SQL / "runner" / "count_failures.sql").read_text("utf-8")
            count = workspace.renderer.render(counting, "sql/runner/count_failures.sql", test=sql)
            failures = int(engine.fetch(count.sql).rows[0][0])
        status = _judge(failures, test)
        message = test.description if status != "pass" else ""
        detail = f"kept in {workspace.qualified(table)}" if store and failures else ""
    except SegSqlError as error:
        if isinstance(error, DatabaseError) and error.lost:
            raise
        failures, status, message, detail = 0, "error", str(error), ""
    finished = TestFinished(
        name=test.name,
        kind="data",
        model=test.model,
        status=status,
        seconds=time.perf_counter() - started,
        failures=failures,
        message=message,
        detail=detail,
    )
    return finished, sql


def stored_failures_name(test: str) -> str:
    """Return the table that keeps the bad rows of a test."""
    name = f"seg_sql_failures_{test}"
    if len(name) <= 63:
        return name
    import hashlib

    return f"{name[:54]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _judge(failures: int, test: DataTest) -> Status:
    if test.severity == "error" and _meets(failures, test.error_if):
        return "fail"
    return "warn" if _meets(failures, test.warn_if) else "pass"


def _meets(failures: int, condition: str) -> bool:
    """Return whether a number of failures meets a condition such as '> 10'.

    >>> _meets(11, "> 10"), _meets(10, ">10"), _meets(1, "!= 0")
    (True, False, True)
    """
    match = _BOUND.match(condition)
    if match is None:
        raise ConfigError(
            f"'{condition}' is not a condition on a number of rows.", hint="Write '> 10'."
        )
    return bool(_COMPARE[match[1]](failures, int(match[2])))
