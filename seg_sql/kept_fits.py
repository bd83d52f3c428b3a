"""Which models score with their published fit instead of a new one (`refit`).

And which options have changed since what is published was made with them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from seg_sql.engines import Existing
from seg_sql.errors import DatabaseError
from seg_sql.events import Log, Said
from seg_sql.nodes import Node
from seg_sql.step import Steps
from seg_sql.workspace import Workspace

# The parameter of a run that says whether a model was fitted in it, or scored with its last fit.
FIT, NEW, KEPT = "fit", "new", "kept"


def keep_fits(
    workspace: Workspace,
    steps: Steps,
    existing: Mapping[str, Existing],
    *,
    full_refresh: bool = False,
) -> None:
    """Decide which models score with their published fit instead of a new one (`refit`)."""
    workspace.kept_fits.clear()
    for name, node in workspace.nodes.items():
        _, options = _owner(workspace, node)
        relation = workspace.project.relation_name(name)
        refit = getattr(options, "refit", "always")
        if refit == "always" or full_refresh or relation not in existing:
            continue
        published = workspace.published(name)
        try:
            fitted = steps.row("fitted_as_of", relation=published)["fitted_as_of"]
            # Cut points of 5 scores cannot give 3: after a change of bins nothing can be kept.
            wanted = getattr(options, "bins", None)
            bins = steps.rows("fitted_bins", relation=published) if wanted else []
        except DatabaseError:
            # A table of an older version that does not say when it was fitted: fit anew.
            continue
        day = workspace.renderer.variable("as_of")
        same = wanted is None or {r["measure"]: r["bins"] for r in bins} == wanted.model_dump()
        # Without order lines there is no as_of, and a fit has no day.
        if not same or (fitted is None) != (day is None):
            continue
        if refit == "never" or (day is not None and str(fitted)[:7] == str(day)[:7]):
            workspace.kept_fits.add(name)


def warn_of_changes(
    workspace: Workspace,
    steps: Steps,
    existing: Collection[str],
    building: Collection[str],
    log: Log,
) -> None:
    """Say which options have changed since a fit that is kept: they do not count before a refit."""
    records = workspace.project.relation_name("seg_sql_run_parameters")
    kept = [name for name in workspace.nodes if name in workspace.kept_fits and name in building]
    if not kept or records not in existing:
        return
    for name in kept:
        owner, options = _owner(workspace, workspace.nodes[name])
        rows = steps.rows(
            "fitted_with", records=steps.engine.relation(records), model=owner, fit=FIT, new=NEW
        )
        # k, and the model of clv, have two values: what was asked for, and what was chosen.
        had: dict[str, set[str]] = {}
        for row in rows:
            had.setdefault(row["parameter"], set()).add(_shown(row["value"]))
        changed = [
            f"{option} (fitted with {' / '.join(sorted(had[option]))}, now {_shown(value)})"
            for option, value in flat(options.shaping())
            if option in had and _shown(value) not in had[option]
        ]
        if changed:
            log(
                Said(
                    f"{owner} keeps its fit (refit: {options.refit}), which was made with other"
                    f" options: {', '.join(changed)}.",
                    level="warn",
                    hint=f"`seg-sql build -s +{owner} --full-refresh` fits anew.",
                )
            )


def warn_of_other_options(
    workspace: Workspace,
    steps: Steps,
    existing: Collection[str],
    readers: Mapping[str, str],
    log: Log,
) -> None:
    """Say which tables, that are read and not built now, were built with other options.

    Args:
        workspace: Which options a model is shaped by is in its schema.yml.
        steps: Runs the statement.
        existing: The relations that are there.
        readers: What is read, and by which model of those that are built.
        log: Takes the warnings.
    """
    relation = workspace.project.relation_name
    runs, records = relation("seg_sql_runs"), relation("seg_sql_run_parameters")
    shaped: dict[str, Mapping[str, list[str]]] = {
        name: by
        for name in sorted(readers)
        if (by := workspace.nodes[name].config.meta.get("shaped_by"))
    }
    if not shaped or not {runs, records} <= set(existing):
        return
    had: dict[tuple[str, str, str], set[str]] = {}
    for row in steps.rows(
        "built_with",
        runs=steps.engine.relation(runs),
        records=steps.engine.relation(records),
        models=list(shaped),
        owners=sorted({owner for by in shaped.values() for owner in by}),
    ):
        key = (row["built"], row["owner"], row["parameter"])
        had.setdefault(key, set()).add(_shown(row["value"]))
    for name, by in shaped.items():
        changed = [
            f"{owner}'s {option} {' / '.join(sorted(had[name, owner, option]))} and not"
            f" {_shown(value)}"
            for owner, options in by.items()
            if owner in workspace.nodes
            for option, value in flat(_options(workspace, owner))
            if option.partition(".")[0] in options
            and _shown(value) not in had.get((name, owner, option), {_shown(value)})
        ]
        if changed:
            log(
                Said(
                    f"{readers[name]} reads {name}, which was built with {', '.join(changed)}.",
                    level="warn",
                    hint=f"Run with -s +{readers[name]} to build what it reads as well.",
                )
            )


def _options(workspace: Workspace, owner: str) -> dict[str, Any]:
    options = _owner(workspace, workspace.nodes[owner])[1]
    return {} if options is None else dict(options.model_dump())


def fits(workspace: Workspace, built: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """Yield for the record of a run which models were fitted, and which scored with the last."""
    for name in built:
        owner, options = _owner(workspace, workspace.nodes[name])
        if hasattr(options, "refit") and (name != owner or workspace.nodes[name].algorithm):
            yield owner, FIT, KEPT if name in workspace.kept_fits else NEW


def flat(value: Any, prefix: str = "") -> list[tuple[str, str | None]]:
    """Return options as the record of a run has them: one text each, or None.

    >>> flat({"k": 3, "bins": {"recency": 5, "frequency": None}})
    [('k', '3'), ('bins.recency', '5'), ('bins.frequency', None)]
    """
    if not isinstance(value, dict):
        return [(prefix, None if value is None else str(value))]
    return [
        item
        for key, inner in value.items()
        for item in flat(inner, f"{prefix}.{key}" if prefix else key)
    ]


def _owner(workspace: Workspace, node: Node) -> tuple[str, Any]:
    """Return whose options a model's fit depends on, and these; cut points are those of rfm."""
    owner = node.config.meta.get("fit_of") or node.name
    return owner, node.options or workspace.project.options.get(owner)


def _shown(value: str | None) -> str:
    return "none" if value is None else value
