"""Run data tests: each is a SELECT of the bad rows (sql/tests/<test>.sql), and fails on any."""

from __future__ import annotations

import datetime
import hashlib
import operator
import re
import time
from typing import Any

from seg_sql import resources
from seg_sql.data_tests import DataTest, as_template
from seg_sql.engines import LONGEST_NAME, Publication
from seg_sql.errors import DatabaseError, SegSqlError
from seg_sql.events import Status, TestFinished
from seg_sql.generic_tests import BOUND, Settings
from seg_sql.ownership import FAILURES_PREFIX, described
from seg_sql.sql_errors import lines_around
from seg_sql.step import Steps
from seg_sql.workspace import Workspace

_COMPARE = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "!=": operator.ne,
}


def render_data_test(test: DataTest, workspace: Workspace) -> str:
    """Return a data test as the SELECT of its bad rows."""
    render = workspace.renderer.render

    def resolved(value: Any) -> Any:
        if isinstance(value, list):
            return [resolved(each) for each in value]
        template = as_template(value)
        if template is not None:
            return render(template, test.name, ref=workspace.ref_sql, input=workspace.input_sql).sql
        if isinstance(value, datetime.date):
            return render("{{ seg_sql.lit(value) }}", test.name, value=value).sql
        return value

    model = workspace.ref_sql(test.model)
    if test.settings.where:
        model = f"(select * from {model} as all_rows where {resolved(test.settings.where)})"
    sql = render(
        test.file.text,
        test.file.shown,
        ref=workspace.ref_sql,
        input=workspace.input_sql,
        model=model,
        **{key: resolved(value) for key, value in test.arguments.items()},
    ).sql
    return sql.rstrip().removesuffix(";")


def run_data_test(
    test: DataTest, workspace: Workspace, *, store: Steps | None = None
) -> tuple[TestFinished, str]:
    """Run a data test; return what it found and its SQL.

    Args:
        test: The test.
        workspace: The project.
        store: Set to keep the bad rows in the table `seg_sql_failures_<test>` of the schema.
    """
    started = time.perf_counter()
    sql, detail = "", ""
    status: Status
    try:
        sql = render_data_test(test, workspace)
        if store is None:
            failures = _count(sql, workspace)
        else:
            failures = _store(test, sql, store)
            table = workspace.published(stored_failures_name(test.name, workspace))
            detail = f"kept in {table}" if failures else ""
        status = _judge(failures, test.settings)
        message = test.settings.description if status != "pass" else ""
    except SegSqlError as error:
        if isinstance(error, DatabaseError):
            if error.lost:
                raise
            workspace.unhide(error)
            error.where = error.where or test.where
            detail = "\n".join(lines_around(error, workspace.by_hand(sql)))
        failures, status, message = 0, "error", str(error)
    finished = TestFinished(
        name=test.name,
        kind="data",
        model=workspace.owners[test.model],
        status=status,
        seconds=time.perf_counter() - started,
        failures=failures,
        message=message,
        detail=detail,
    )
    return finished, sql


def _count(sql: str, workspace: Workspace) -> int:
    counting = (resources.SQL / "runner" / "count_failures.sql").read_text("utf-8")
    count = workspace.renderer.render(counting, "sql/runner/count_failures.sql", test=sql)
    return int(workspace.engine.fetch(count.sql).rows[0][0])


def _store(test: DataTest, sql: str, steps: Steps) -> int:
    """Keep the bad rows in a table that bears our mark; drop the last ones when there are none."""
    name = stored_failures_name(test.name, steps.workspace)
    relation = steps.workspace.project.relation_name(name)
    hidden = steps.work_name()
    failures = steps.engine.create(hidden, "table", sql) or 0
    if failures == 0:
        steps.engine.drop(hidden)
        steps.engine.drop(relation)
        return 0
    said = f"The rows that failed the data test {test.name} in its last run."
    comment = described(steps.workspace.project.name, name, said)
    steps.engine.publish([Publication(relation, "table", hidden, comment=comment)])
    return failures


def stored_failures_name(test: str, workspace: Workspace) -> str:
    """Return the name, without the prefix, of the table that keeps the bad rows of a test."""
    name = f"{FAILURES_PREFIX}{test}"
    room = LONGEST_NAME - len(workspace.project.config.prefix)
    if len(name) <= room:
        return name
    return f"{name[: room - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _judge(failures: int, settings: Settings) -> Status:
    if settings.severity == "error" and _meets(failures, settings.error_if):
        return "fail"
    return "warn" if _meets(failures, settings.warn_if) else "pass"


def _meets(failures: int, condition: str) -> bool:
    """Return whether a number of failures meets a condition such as '> 10'.

    >>> _meets(11, "> 10"), _meets(10, ">10"), _meets(1, "!= 0")
    (True, False, True)
    """
    match = re.match(BOUND, condition)
    assert match is not None, "Settings has checked it"
    return bool(_COMPARE[match[1]](failures, int(match[2])))
