"""Which models score with their published fit instead of a new one (`refit`)."""

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
