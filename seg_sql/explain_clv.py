"""What a customer is worth, and why, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from seg_sql.step import Steps

_LEAVES = {
    "mbg_nbd": "may leave for good after any purchase, the first too",
    "bg_nbd": "may leave for good after a repeat purchase, so that who bought once is still there",
    "pareto_nbd": "may leave for good at any time",
}
_SIMPLE = {
    "historic": "Method historic: the value of all purchases so far, and no forecast.",
    "average": "Method average: own mean value x own rate of repeat purchases x the mean lifespan"
    " of repeat customers; no model says whether this one is still there.",
}


def lines(steps: Steps, given: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines about the lifetime value of one customer."""
    rows = steps.rows("clv", parameters=given)
    if not rows and not steps.rows("clv_summary", parameters=given):
        yield (
            "Lifetime value: no row, because no day has a purchase that was not taken back on the"
            " same day."
        )
        return
    if not rows:
        yield "Lifetime value: no row; `seg-sql show clv_exclusions` counts the reasons."
        return
    row = rows[0]
    unit = row["time_unit"] or "time unit"
    until = f" until {row['horizon_end']}" if row["horizon_end"] else ""
    if row["model"] in _SIMPLE:
        # Neither looks ahead to a day.
        until = " so far" if row["model"] == "historic" else ""
    yield (
        f"Lifetime value{until}: {row['clv']:,.2f}, in tenth {row['clv_decile']} of the customers"
        " (1 is best)."
    )
    yield f"  {_history(row, unit)}"
    if row["model"] in _SIMPLE:
        yield f"  {_SIMPLE[row['model']]}"
        return
    yield (
        f"  Still a customer with probability {row['p_alive']:.1%};"
        f" {row['expected_orders']:,.2f} orders expected, of {row['expected_order_value']:,.2f}"
        f" each ({_value(row)})."
    )
    group = "" if row["group_key"] == "all" else f" of the group '{row['group_key']}'"
    day = f" (fitted as of {row['fitted_as_of']})" if row["fitted_as_of"] else ""
    yield (
        f"  Model {row['model']}{day}: every customer{group} buys at a rate of their own, and"
        f" {_LEAVES.get(row['model'], 'may leave for good')}. The longer the silence for such a"
        " rate, the less likely it is that more orders come."
    )


def _history(row: Mapping[str, Any], unit: str) -> str:
    """Say what is known: frequency, recency and age.

    >>> _history({"frequency": 0, "recency": 0.0, "age": 1.0, "monetary_value": None}, "week")
    'No repeat purchase in the 1.0 weeks since the first.'
    """
    if not row["frequency"]:
        return f"No repeat purchase in the {row['age']:,.1f} {unit}s since the first."
    many = "purchase" if row["frequency"] == 1 else "purchases"
    return (
        f"{row['frequency']:,} repeat {many} within {row['recency']:,.1f} {unit}s, the first"
        f" {row['age']:,.1f} {unit}s ago."
    )


def _value(row: Mapping[str, Any]) -> str:
    """Say where the value of an expected order is from.

    At a boundary the fit may have everyone's mean for everyone; without a finite mean of everyone
    it has a customer's own.

    >>> row = {"frequency": 3, "monetary_value": 24.74, "everyones_mean": 135.38}
    >>> _value({**row, "expected_order_value": 60.0})
    "between the own mean of 24.74 and everyone's of 135.38"
    >>> _value({**row, "expected_order_value": 135.3799})
    "everyone's mean: this fit gives the own one, 24.74, no weight"
    >>> _value({**row, "everyones_mean": None, "expected_order_value": 24.74})
    'the own mean'
    >>> _value({**row, "everyones_mean": None, "expected_order_value": 20.0})
    'from the own mean of 24.74'
    """
    if row["monetary_value"] is None or not row["frequency"]:
        return "everyone's mean, as there is no repeat purchase"
    own, everyone = row["monetary_value"], row["everyones_mean"]
    expected = f"{row['expected_order_value']:,.2f}"
    if expected == f"{own:,.2f}":
        return "the own mean"
    if everyone is None:
        return f"from the own mean of {own:,.2f}"
    if expected == f"{everyone:,.2f}":
        return f"everyone's mean: this fit gives the own one, {own:,.2f}, no weight"
    if min(own, everyone) < row["expected_order_value"] < max(own, everyone):
        return f"between the own mean of {own:,.2f} and everyone's of {everyone:,.2f}"
    return f"from the own mean of {own:,.2f} and everyone's of {everyone:,.2f}"
