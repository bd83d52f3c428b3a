"""What a run knows of its input before it starts: as_of, the fingerprint, and what was dropped."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from seg_sql.engines import Existing
from seg_sql.errors import DatabaseError, StartError
from seg_sql.events import Log, NodeFinished, Said
from seg_sql.step import Steps
from seg_sql.workspace import Workspace, today


@dataclass(frozen=True)
class AsOf:
    """The first day that is not read, where it comes from, and what the input was."""

    day: datetime.date | None
    origin: str
    fingerprint: str


def settle(workspace: Workspace, steps: Steps, chosen: set[str], log: Log) -> AsOf | None:
    """Find as_of and the fingerprint of the order lines, and let `var('as_of')` say it.

    Raises:
        StartError: If there is no order line, or none with a readable date up to now.
    """
    if not _reads_order_lines(workspace, chosen):
        return None
    zone = workspace.project.vars.timezone
    now = today(zone)
    engine = steps.engine
    fixed = workspace.project.vars.as_of
    row = steps.row("fingerprint", now=engine.literal(now))
    if workspace.input("order_lines").is_csv:
        workspace.broken["order_lines"] = engine.rejected_rows()
    last = row["last_known_at"]
    fingerprint = f"{row['line_count']} rows, last {row['last_ordered_at']}, sum {_sum(row)}"
    dated = workspace.input_has("order_lines", "ordered_at")
    where = workspace.project.document.where("inputs", "order_lines")
    if not workspace.limits.empty and row["line_count"] == 0:
        raise StartError("The input order_lines has no rows.", where=where)
    if fixed is not None:
        day, origin = fixed, "given"
    elif not dated:
        day, origin = None, "no dates are mapped"
    elif last is None and not workspace.limits.empty:
        raise StartError(
            "No order line has a date that can be read and is not in the future.",
            where=where,
            hint="If days stand before months, as in 31/12/2026, set date_order: dmy;"
            " with `vars: {as_of: 2026-12-31}` the dates are taken as they are.",
        )
    else:
        seen = last.date() if last is not None else now.date()
        day, origin = seen + datetime.timedelta(days=1), "the day after the last order line"
    if day is not None:
        log(Said(f"as_of {day} ({origin})"))
        _warn_if_old(workspace, last, now, log)
    as_of_reason = "after as_of" if fixed is not None else "future-dated"
    workspace.renderer.set_variables({"as_of": day, "as_of_reason": as_of_reason})
    return AsOf(day, origin, fingerprint)


def _sum(row: Mapping[str, float | None]) -> str:
    amount = row["amount"]
    # The last digits of a parallel sum differ from run to run.
    return "none" if amount is None else f"{amount:.10g}"


def _reads_order_lines(workspace: Workspace, chosen: set[str]) -> bool:
    if "order_lines" not in workspace.project.config.inputs:
        return False
    all_read = chosen | {up for name in chosen for up in workspace.graph.above(name)}
    return any("order_lines" in workspace.nodes[name].inputs for name in all_read)


def _warn_if_old(
    workspace: Workspace, last: datetime.datetime | None, now: datetime.datetime, log: Log
) -> None:
    limit = workspace.project.vars.max_age_days
    if limit is None or last is None:
        return
    age = (now.date() - last.date()).days
    if age > limit:
        log(
            Said(
                f"The last order line is {age} days old (max_age_days is {limit}).",
                level="warn",
                hint="Has the last load of the input failed?",
            )
        )


def keep_fits(
    workspace: Workspace, steps: Steps, existing: Mapping[str, Existing], full_refresh: bool
) -> None:
    """Decide which models score with their published fit instead of a new one (`refit`)."""
    workspace.kept_fits.clear()
    for name, node in workspace.nodes.items():
        owner = node.config.meta.get("fit_of")
        relation = workspace.project.relation_name(name)
        if owner is None or full_refresh or relation not in existing:
            continue
        refit = getattr(workspace.project.options[owner], "refit", "always")
        if refit == "always":
            continue
        try:
            fitted = steps.row("fitted_as_of", relation=workspace.published(name))["fitted_as_of"]
        except DatabaseError:
            # A table of an older version that does not say when it was fitted: fit anew.
            continue
        day = workspace.renderer.variable("as_of")
        if fitted is None:
            continue
        if refit == "never" or (day is not None and str(fitted)[:7] == str(day)[:7]):
            workspace.kept_fits.add(name)


def reconcile(
    workspace: Workspace,
    steps: Steps,
    log: Log,
) -> None:
    """Say in one line where the amount that was read went."""
    if "order_lines" not in workspace.project.config.inputs or workspace.limits.empty:
        return
    built = {event.name for event in log.of(NodeFinished) if event.status == "success"}
    if not built or "order_lines_checked" not in workspace.nodes:
        return
    rows = steps.rows("reconcile", from_table="input_quality" in built)
    kept = sum(row["amount"] or 0.0 for row in rows if _plain(row))
    others = [row for row in rows if not _plain(row)]
    total = sum(row["amount"] or 0.0 for row in rows)
    parts = [f"kept {kept:,.0f}"]
    parts += [
        f"{row['reason']} {row['amount']:,.0f}"
        for row in sorted(others, key=lambda each: -abs(each["amount"] or 0))
        if row["amount"]
    ]
    without = [row for row in others if not row["amount"]]
    text = f"read {total:,.0f} = {' + '.join(parts)}".replace("+ -", "- ")
    if without:
        listed = ", ".join(f"{row['reason']} {int(row['line_count']):,}" for row in without)
        text += f"   (lines without an amount: {listed})"
    log(Said(text))


def _plain(row: Mapping[str, object]) -> bool:
    """Return whether a line counts as kept without remark."""
    return row["action"] == "kept" and row["reason"] not in ("no customer", "anonymous id")
