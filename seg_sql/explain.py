"""Why a customer is where they are: lines, values, scores, segment and stage in plain words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from functools import partial
from typing import Any

from seg_sql import explain_clv, explain_items, freshness
from seg_sql.errors import ConfigError, SelectionError
from seg_sql.events import Log
from seg_sql.session import Settings, session
from seg_sql.step import Steps

_MEASURES = (
    ("recency", "recency_days", "r_score", "days since the last purchase", ",.0f"),
    ("frequency", "frequency", "f_score", "purchases", ",.0f"),
    ("monetary", "monetary", "m_score", "spent, net of refunds", ",.2f"),
)


# Below this silhouette a customer lies between two clusters.
NEARLY_BETWEEN = 0.1


def customer(settings: Settings, customer_id: str, *, lines: int) -> Iterator[str]:
    """Yield the explanation of one customer, line by line.

    Raises:
        SelectionError: If no order line has the customer.
    """
    with session(settings) as workspace:
        steps = Steps(workspace, "explain")
        built = workspace.built()
        if "orders" not in built and (lacking := workspace.unmapped("orders")):
            input_name, column = lacking[0]
            raise ConfigError(
                f"No table knows customers, because {column} of {input_name} is not mapped.",
                where=str(workspace.project.document.path),
                hint="`seg-sql explain --item ITEM` says what goes with an item.",
            )
        if "orders" not in built:
            raise ConfigError(
                f"Nothing is built in {workspace.engine.schema} yet.", hint="Run `seg-sql build`."
            )
        runner_steps = Steps(workspace, "runner")
        as_of = freshness.settle(workspace, runner_steps, set(workspace.nodes), Log())
        given = {"customer": customer_id}
        found = steps.rows("lines", parameters=given, limit=max(lines, 1))
        anonymous = workspace.project.config.inputs["order_lines"].anonymous_ids
        if customer_id in map(str, anonymous):
            raise SelectionError(
                f"'{customer_id}' stands for nobody: it is in the anonymous_ids of order_lines.",
                hint="`seg-sql show input_quality` says how many lines have such an id.",
            )
        if not found:
            raise SelectionError(
                f"No order line has the customer '{customer_id}'.",
                hint=_similar(steps, customer_id),
            )
        day = f", as of {as_of.day}" if as_of and as_of.day else ""
        yield f"Customer {customer_id}{day}"
        yield ""
        yield from _lines(steps, found[:lines], found[0], given)
        yield from _older(steps, as_of)
        orders = steps.row("orders", parameters=given)
        if found[0]["kept_count"] and orders["purchases"] is None:
            yield (
                "Orders: the tables do not have this customer. They were built before these lines"
                " came, or the customer was forgotten since; `seg-sql build` brings what is read."
            )
            return
        yield from _orders(orders, as_of)
        if orders["purchases"] is None:
            if "customer_segment_history" in built:
                yield from _segments(steps, given)
            return
        yield from _sections(steps, built, given, bought=orders["purchases"] > 0)


def _sections(steps: Steps, built: Set[str], given: Any, *, bought: bool) -> Iterator[str]:
    """Yield what each model says of a customer with orders, and of which none is there."""
    nodes = steps.workspace.nodes
    sections: tuple[tuple[str, set[str], Callable[..., Iterator[str]]], ...] = (
        ("RFM", {"rfm", "rfm_cut_points", "rfm_segment_map"}, _rfm),
        ("Lifecycle", {"customer_lifecycle"}, _lifecycle),
        ("", {"customer_segment_history"}, _segments),
        ("Cluster", {"rfm", "customer_clusters"}, partial(_cluster, bought=bought)),
        ("Lifetime value", {"clv", "clv_customer_summary"}, explain_clv.lines),
        ("Recommendations", {"recommendations", "item_similarity"}, explain_items.recommendations),
    )
    for title, needed, said in sections:
        if title and needed <= nodes.keys():
            yield ""
        if needed <= built:
            yield from said(steps, given)
        elif title and needed <= nodes.keys():
            # What is switched off is not missed.
            yield f"{title}: not built."


def _similar(steps: Steps, customer_id: str) -> str | None:
    # First those of the same letters, small for capital.
    for length in range(len(customer_id), 0, -1):
        rows = steps.rows("similar_ids", parameters={"start": customer_id[:length]}, length=length)
        if rows:
            return "Customers with a similar id: " + ", ".join(r["customer_id"] for r in rows)
    return None


def _lines(
    steps: Steps, shown: Sequence[Mapping[str, Any]], first: Mapping[str, Any], given: Any
) -> Iterator[str]:
    total, kept = first["line_count"], first["kept_count"]
    yield f"Order lines: {total:,} read, {kept:,} kept ({first['kept_amount'] or 0:,.2f})."
    if total > kept:
        for each in steps.rows("dropped", parameters=given):
            amount = f" ({each['amount']:,.2f})" if each["amount"] is not None else ""
            yield f"  dropped {each['line_count']:,}: {each['reason']}{amount}"
    for row in shown:
        at = f"{row['ordered_at']:%Y-%m-%d %H:%M}" if row["ordered_at"] else "no date"
        what = f"{row['item_id'] or ''}  {_product(row)}"
        reason = "" if row["reason"] == "kept" else f"   {row['action']}: {row['reason']}"
        yield f"  {at:<16}  order {row['order_id']}  {what}{reason}"
    if total > len(shown) > 0:
        yield f"  ... and {total - len(shown):,} earlier lines (--lines {total})"
    yield ""


def _product(row: Mapping[str, Any]) -> str:
    amount = "no amount" if row["amount"] is None else f"{row['amount']:,.2f}"
    if row["quantity"] is None or row["unit_price"] is None:
        return amount
    return f"{row['quantity']:g} x {row['unit_price']:,.2f} = {amount}"


def _older(steps: Steps, as_of: freshness.AsOf | None) -> Iterator[str]:
    """Say when the tables were built from other order lines than those that were just read."""
    workspace = steps.workspace
    name = workspace.project.relation_name("seg_sql_runs")
    if as_of is None or name not in steps.engine.existing():
        return
    for row in steps.rows("built", runs=steps.engine.relation(name)):
        if row["input_fingerprint"] not in (None, as_of.fingerprint):
            yield (
                f"The order lines have changed since the tables were built"
                f" ({row['finished_at']:%Y-%m-%d %H:%M}): what follows is of then."
                " `seg-sql build` brings it up to date."
            )
            yield ""


def _orders(row: Mapping[str, Any], as_of: freshness.AsOf | None) -> Iterator[str]:
    if row["purchases"] is None:
        day = f" before {as_of.day}" if as_of and as_of.day else ""
        yield (
            f"Orders: none{day} is left after the lines were checked, so that no model knows this"
            " customer."
        )
        return
    refunds = f", and {_plural(row['refunds'], 'refunds')}" if row["refunds"] else ""
    bought = _plural(row["purchases"], "purchases")
    yield f"Orders: {bought}{refunds}; net value {row['amount']:,.2f}."


def _rfm(steps: Steps, given: Any) -> Iterator[str]:
    rows = steps.rows("rfm", parameters=given)
    if not rows:
        yield "RFM: no row, because there is no purchase to score."
        return
    row = rows[0]
    ties = steps.workspace.project.options["rfm"].model_dump()["ties"]
    bounds = {(each["measure"], each["score"]): each for each in steps.rows("cut_points")}
    yield (
        f"RFM as of {row['as_of']}: purchases from {row['first_order_date']} to"
        f" {row['last_order_date']}."
    )
    for measure, column, score, what, number in _MEASURES:
        said = _plural(row[column], what, number)
        if ties[measure] == "ntile":
            why = "in groups of equal size"
        else:
            why = _interval(bounds.get((measure, row[score])))
        yield f"  {measure:<10} {said:<38} score {row[score]}   {why}"
    yield f"  code {row['rfm_code']}: segment {row['segment']}. {row['description'] or ''}".rstrip()
    if row["suggested_action"]:
        yield f"  What to do: {row['suggested_action']}"


def _plural(number: float, what: str, shape: str = ",") -> str:
    """Return a number with its word.

    >>> _plural(1, "purchases"), _plural(2, "days since")
    ('1 purchase', '2 days since')
    """
    first, space, rest = what.partition(" ")
    word = first.removesuffix("s") if number == 1 and first.endswith("s") else first
    return f"{number:{shape}} {word}{space}{rest}"


def _interval(bound: Mapping[str, Any] | None) -> str:
    if bound is None:
        return ""
    lower, upper = bound["lower_bound"], bound["upper_bound"]
    if lower is None and upper is None:
        return "any value"
    if lower is None:
        return f"{upper:,.6g} or less"
    if upper is None:
        return f"more than {lower:,.6g}"
    return f"more than {lower:,.6g}, up to {upper:,.6g}"


def _lifecycle(steps: Steps, given: Any) -> Iterator[str]:
    rows = steps.rows("lifecycle", parameters=given)
    if not rows:
        yield "Lifecycle: no row, because there is no purchase."
        return
    row = rows[0]
    days, risk, churn = (
        row["days_since_last"],
        row["at_risk_after_days"],
        row["churned_after_days"],
    )
    whose = (
        "the customer's own gaps between purchases"
        if row["threshold_source"] == "own"
        else "the gaps of all customers, as this one has fewer than three"
    )
    stage = row["stage"].replace("_", " ")
    why = {
        "new": f"one purchase, {_plural(days, 'days ago')}, not more than {risk:,.6g}",
        "reactivated": (
            f"{_plural(days, 'days since the last purchase')}, which ended the longest pause"
            f" so far, {row['last_gap_days']} days (over {row['unusual_gap_days']:,.6g} is unusual)"
        ),
        "active": f"{_plural(days, 'days since the last purchase')}, not more than {risk:,.6g}",
        "at_risk": f"{_plural(days, 'days since the last purchase')}, more than {risk:,.6g}",
        "churned": f"{_plural(days, 'days since the last purchase')}, more than {churn:,.6g}",
    }[row["stage"]]
    yield f"Lifecycle: {stage}, because {why}."
    yield f"  at risk after {risk:,.6g} days, churned after {churn:,.6g}, from {whose}."


def _segments(steps: Steps, given: Any) -> Iterator[str]:
    """Yield the last segments in one line, when there is more than the present one."""
    rows = steps.rows("segments", parameters=given)
    if len(rows) > 1:
        said = ", ".join(f"{row['as_of']} {row['segment']}" for row in reversed(rows))
        yield f"Segments over time: {said}."


def _cluster(steps: Steps, given: Any, *, bought: bool) -> Iterator[str]:
    """Say which cluster a customer is in, and how they compare with it, feature by feature."""
    rows = steps.rows("cluster", parameters=given)
    if not rows:
        yield (
            "Cluster: none, because a value that customers are clustered by is missing."
            if bought
            else "Cluster: none, because there is no purchase."
        )
        return
    row = rows[0]
    place = f"{row['distance']:.2f} from its centre"
    if row["second_cluster_id"] is not None:
        between = "and about as near to" if row["silhouette"] < NEARLY_BETWEEN else "nearer than to"
        place += f", {between} cluster {row['second_cluster_id']} ({row['second_label']})"
    yield (
        f"Cluster {row['cluster_id']}: {row['cluster_label']}, with"
        f" {_plural(row['customers'] - 1, 'others')}; {place}."
    )
    values = next(iter(steps.rows("rfm", parameters=given)), {})
    for row in rows:
        feature, mean = row["feature"], row["mean"]
        own = values.get(feature)
        compared = ""
        if own is not None:
            than = "more than" if own > mean else "less than" if own < mean else "as much as"
            compared = f" {own:,.6g}, {than}"
        yield (
            f"  {feature:<14}{compared} the cluster's mean of {mean:,.4g}"
            f" (all customers: {row['population_mean']:,.4g})"
        )
