"""Which relations of the target schema are ours to replace, and which a dead run left behind.

Every relation that we publish bears the mark `seg-sql:<project>:<name>` in its comment. What has
no mark, or the mark of another project, is never replaced and never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from seg_sql.engines import MARK, WORK_PREFIX, Existing
from seg_sql.errors import StartError
from seg_sql.workspace import Workspace

RUN_TABLES = ("seg_sql_runs", "seg_sql_run_parameters")
FAILURES_PREFIX = "seg_sql_failures_"
ASIDE_PREFIX = "seg_past_"

# As Steps.work_name makes them, and `debug`; a table of a user's that begins alike is not ours.
_WORK_NAME = re.compile(rf"{WORK_PREFIX}([0-9a-f]{{8}}_(?P<number>\d+)|debug)")


def mark(project: str, name: str) -> str:
    """Return the last line of the comment of a relation of ours.

    >>> mark("shop", "rfm")
    'seg-sql:shop:rfm'
    """
    return f"{MARK}:{project}:{name}"


def described(project: str, name: str, description: str) -> str:
    """Return the comment of a relation: its description, then the mark."""
    text = description.strip()
    return f"{text}\n\n{mark(project, name)}" if text else mark(project, name)


def marked_by(relation: Existing) -> str | None:
    """Return the project whose mark a relation bears.

    >>> marked_by(Existing("rfm", "table", "Scores. seg-sql:shop:rfm"))
    'shop'
    """
    # The mark is the last line: a description may speak of another project.
    found = re.findall(rf"{MARK}:(\w+):", relation.comment or "")
    return found[-1] if found else None


def check_ours(
    workspace: Workspace, names: Iterable[str], existing: Mapping[str, Existing]
) -> None:
    """Stop before anything starts when a relation of ours would replace somebody else's.

    Raises:
        StartError: It names the relation, whose it is, and the ways out.
    """
    project, engine = workspace.project, workspace.engine
    folded = {name.lower(): relation for name, relation in existing.items()}
    for name in names:
        relation = project.relation_name(name)
        found = existing.get(relation)
        if found is None and engine.dialect == "duckdb":
            # To DuckDB a name in other letters is the same name.
            found = folded.get(relation.lower())
        owner = None if found is None else marked_by(found)
        if found is None or owner == project.name:
            continue
        whose = f"belongs to the project '{owner}'" if owner else "was not made by seg-sql"
        raise StartError(
            f"The {found.kind} {engine.schema}.{found.name} {whose}; it is left as it is.",
            hint="Write elsewhere: set another 'schema' in profiles.yml, or a 'prefix' in"
            " seg_sql.yml; or rename that relation.",
        )


def leftovers(existing: Iterable[str]) -> list[str]:
    """Return the work relations among some names, in an order in which they can be dropped.

    A view depends on what was made before it, so that the last one made goes first.

    >>> leftovers(["rfm", "seg_tmp_0a1b2c3d_9", "seg_tmp_0a1b2c3d_10", "seg_tmp_backup"])
    ['seg_tmp_0a1b2c3d_10', 'seg_tmp_0a1b2c3d_9']
    """
    found = [(match, name) for name in existing if (match := _WORK_NAME.fullmatch(name))]
    return [name for match, name in sorted(found, key=lambda each: -int(each[0]["number"] or 0))]


def aside(workspace: Workspace, existing: Mapping[str, Existing]) -> list[str]:
    """Return what a backfill of this project made beside the published relations.

    What was made last may depend on what was made first: it comes first, to be dropped.
    """
    prefix = f"{workspace.project.config.prefix}{ASIDE_PREFIX}"
    found = [
        name.removeprefix(prefix)
        for name, relation in existing.items()
        if name.startswith(prefix) and marked_by(relation) == workspace.project.name
    ]
    if not found:
        return []
    places = {name: place for place, name in enumerate(workspace.graph.order)}
    place = {name: places[owner] for name, owner in workspace.owners.items()}
    return [f"{prefix}{name}" for name in sorted(found, key=lambda each: -place.get(each, -1))]


def internal(workspace: Workspace, existing: Mapping[str, Existing]) -> list[str]:
    """Return the relations that nobody is meant to read, and that `clean` drops."""
    return [
        *leftovers(existing),
        *aside(workspace, existing),
        *stored_failures(workspace, existing),
    ]


def stored_failures(workspace: Workspace, existing: Mapping[str, Existing]) -> list[str]:
    """Return the tables of this project that keep the rows of failed tests."""
    ours = mark(workspace.project.name, FAILURES_PREFIX)
    return [name for name, relation in existing.items() if ours in (relation.comment or "")]
