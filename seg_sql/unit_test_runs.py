"""Run the unit tests of a selection of models: all of them, or those that a change made due."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from seg_sql.artifacts import checksums
from seg_sql.errors import DatabaseError
from seg_sql.project import UnitTest
from seg_sql.run import Run, lose
from seg_sql.unit_testing import run_unit_test
from seg_sql.workspace import Workspace


def unit_tests_due(run: Run, order: Sequence[str], *, only_changed: bool) -> list[UnitTest]:
    """Return the unit tests of models; in a build, of those whose text has not passed them yet."""
    units = [
        unit
        for unit in run.workspace.project.unit_tests
        if (name := unit.entry.model) in order
        and not (unit.packaged and _is_replaced(run.workspace, name))
    ]
    if not only_changed:
        return units
    sums, dialect = checksums(run.workspace), run.workspace.dialect
    return [
        unit
        for unit in units
        if run.unit_tested.get(name := unit.entry.model, {}).get(dialect) != sums[name]
    ]


def run_unit_tests(run: Run, units: Sequence[UnitTest]) -> None:
    """Run unit tests, and keep in mind which text of a model passed them."""
    dialect = run.workspace.dialect
    tested: set[str] = set()
    for unit in units:
        name = unit.entry.model
        try:
            finished = run_unit_test(unit, run.workspace)
        except DatabaseError as error:
            lose(run, error)
            return
        compiled = ""
        if finished.compiled and finished.status != "pass":
            file = re.sub(r"\W+", "_", unit.entry.name)
            shown = f"sql/unit_tests/{name}/{file}.sql"
            compiled = str(run.target.keep_compiled(shown, finished.compiled))
        run.log(replace(finished, compiled=compiled))
        tested.add(name)
        if finished.status != "pass":
            run.failed.add(name)
            if run.options.fail_fast:
                return
    sums = checksums(run.workspace) if tested else {}
    for name in tested:
        others = {k: sum_ for k, sum_ in run.unit_tested.get(name, {}).items() if k != dialect}
        run.unit_tested[name] = others if name in run.failed else {**others, dialect: sums[name]}


def _is_replaced(workspace: Workspace, name: str) -> bool:
    """Return whether a packaged model, or one inlined into it, is a file of the project's.

    The packaged unit tests say what the packaged text does.
    """
    node = workspace.nodes.get(name)
    if node is None:
        return False
    inlined = [ref for ref in node.refs if not workspace.nodes[ref].builds]
    return not node.model.packaged or any(_is_replaced(workspace, ref) for ref in inlined)
