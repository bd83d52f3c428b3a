"""What the cohorts of a build say of the data: where it begins in the middle of a shop's life."""

from __future__ import annotations

from seg_sql.events import Log, NodeFinished, Said
from seg_sql.step import Steps
from seg_sql.workspace import Workspace

# The first month has so many times the new customers of a usual one, among at least so many.
_MANY, _MONTHS = 2.0, 3


def say_if_first_is_large(workspace: Workspace, steps: Steps, log: Log) -> None:
    """Ask for history_starts where the first month seems to hold customers of earlier ones."""
    built = {event.name for event in log.of(NodeFinished) if event.status == "success"}
    known = workspace.project.vars.history_starts
    if known is not None or "cohort_retention" not in built:
        return
    if not workspace.nodes["cohort_retention"].model.packaged:
        return
    customers = workspace.project.config.inputs.get("customers")
    if customers is not None and "first_order_date" in workspace.input("customers").columns:
        return
    found = steps.row("first_cohort")
    usual = float(found["usual_customers"] or 0.0)
    if int(found["later_months"]) < _MONTHS or int(found["cohort_customers"]) <= _MANY * usual:
        return
    month = found["cohort_month"]
    log(
        Said(
            f"{int(found['cohort_customers']):,} customers are new in {month:%Y-%m}, the first"
            f" month, and {usual:,.0f} in a usual one: if the shop is older, so are most of them.",
            hint=f"Then say so, and cohort_retention marks them: vars: {{history_starts: {month}}}",
        )
    )
