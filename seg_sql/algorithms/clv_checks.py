"""What a person should know of a fit before trusting it; each sentence says what to do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seg_sql.algorithms.clv_climb import Fitted
from seg_sql.algorithms.clv_prepare import CALIBRATION, DAYS, FULL, Customers, Part
from seg_sql.wording import counted

if TYPE_CHECKING:
    from seg_sql.step import Steps

CORRELATED = 0.15
# A correlation of fewer customers than this is chance.
ENOUGH = 50
REGULAR = 0.5
CONCENTRATED = 0.5
FEW_CUSTOMERS = 100


def of(*parts: Part) -> str:
    """Return how a sentence names the groups of fits.

    >>> of(Part(0, "all", "full")), of(Part(2, "UK", "full"))
    ('', " of 'UK'")
    >>> of(*(Part(2 * place, name, "full") for place, name in enumerate("abcde")))
    " of 5 groups ('a', 'b', 'c', ...)"
    """
    names = [f"'{part.group_key}'" for part in parts]
    if names == ["'all'"]:
        return ""
    if len(names) == 1:
        return f" of {names[0]}"
    return f" of {len(names)} groups ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"


def fits(fitted: Sequence[Fitted]) -> list[str]:
    """Tell of fits that ended elsewhere than in the interior, and of values without a mean."""
    full = [each for each in fitted if each.part.part == FULL]
    said = []
    for name in dict.fromkeys(each.model.name for each in full):
        of_model = [each for each in full if each.model.name == name]
        for status in ("boundary", "max_iterations", "failed"):
            ended = [each for each in of_model if each.optimum.status == status]
            if ended:
                where = f"{name}{of(*(each.part for each in ended))}"
                said.append(_ENDED[status].format(where=where, ends=_ends(ended)))
    heavy = [
        each
        for each in full
        if each.model.name == "gamma_gamma"
        and each.optimum.status != "failed"
        and each.parameters["q"] <= 1
    ]
    if heavy:
        q = f"q = {heavy[0].parameters['q']:.3g}" if len(heavy) == 1 else "q below 1"
        said.append(
            f"gamma_gamma{of(*(each.part for each in heavy))} has {q}, and so no finite mean value"
            " of an order: repeat customers count with their own mean, others with everyone's; set"
            " value_cap: 0.99, or leave extreme orders out of the input"
        )
    return said


_ENDED = {
    "boundary": "the fit of {where} ended at a boundary{ends}: the data do not tell all its"
    " parameters, and there are no standard errors; the scores hold, but compare the models with"
    " model: auto, or wait for more repeat purchases",
    "max_iterations": "the fit of {where} has not converged: raise max_iterations",
    "failed": "the likelihood of {where} has no finite value at its start: look for customers with"
    " an extreme frequency or age in clv_customer_summary",
}


def _ends(fitted: Sequence[Fitted]) -> str:
    """Return which parameters ran off, where it is one fit that can be named."""
    if len(fitted) > 1:
        return ""
    values = zip(fitted[0].model.parameters, map(float, fitted[0].optimum.theta), strict=True)
    ends = [f"{name} = {value:.3g}" for name, value in values if value > 1e3 or value < 1e-3]
    return f" ({', '.join(ends)})" if ends else ""


def discount(rate: float, unit: str) -> list[str]:
    """Tell of a rate that is more than anybody takes in a year, and so was meant for one.

    >>> discount(0.002, "week")
    []
    >>> discount(0.1, "week")[0][:46]
    'discount_rate 0.1 a week is 14,348% a year; it'
    """
    years = DAYS[unit] / 365.25
    yearly = (1 + rate) ** (1 / years) - 1
    if yearly <= 1:
        return []
    return [
        f"discount_rate {rate:g} a {unit} is {yearly:,.0%} a year; it is taken off for each time"
        f" unit: 10% a year are {1.1**years - 1:.5f}"
    ]


def values(parts: Mapping[int, Part], sizes: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """Tell of groups where who buys more often also spends more, or less, an order."""
    found = {
        id_: correlation(row)
        for id_, row in sizes.items()
        if id_ in parts and parts[id_].part == FULL and row["customers"] >= ENOUGH
    }
    strong = {id_: each for id_, each in found.items() if abs(each) > CORRELATED}
    if not strong:
        return []
    most = max(strong.values(), key=abs)
    return [
        f"frequency and mean value{of(*(parts[id_] for id_ in strong))} correlate by {most:+.2f},"
        " and Gamma-Gamma takes them as independent: expected_order_value is biased for the most"
        " and least frequent; fit groups that are more alike with group_by"
    ]


def correlation(row: Mapping[str, Any]) -> float:
    """Return the correlation of x and m from their sums; 0 where one is the same for all.

    >>> sums = {"customers": 2, "purchases": 3.0, "purchase_squares": 5.0, "means": 30.0,
    ...         "mean_squares": 500.0, "products": 50.0}
    >>> round(correlation(sums), 12)
    1.0
    """
    n, x, m = (float(row[name]) for name in ("customers", "purchases", "means"))
    xx = float(row["purchase_squares"]) - x * x / n
    mm = float(row["mean_squares"]) - m * m / n
    scale = xx * mm
    # What is left of equal numbers is rounding.
    if xx <= 1e-12 * x * x or mm <= 1e-12 * m * m:
        return 0.0
    return (float(row["products"]) - x * m / n) / math.sqrt(scale)


def customers(step: Steps, found: Customers, *, holdout: bool) -> list[str]:
    """Tell of shops that a model of buying is not made for; `holdout`: whether one was wanted."""
    said = []
    if holdout and not found.calibrated:
        said.append(_no_holdout(found, found.time_unit))
    variation = found.observed.get("median_gap_variation")
    if variation is not None and variation < REGULAR:
        said.append(
            "scheduled purchases: half the customers with at least 4 gaps buy at nearly equal"
            f" intervals (coefficient of variation {variation:.2f}), as subscribers do; p_alive is"
            " unreliable for them, use customer_lifecycle instead"
        )
    if "historic_value" in found.columns:
        row = step.row("concentration", relation=found.relation)
        if row["all_customers"] >= FEW_CUSTOMERS and (row["share"] or 0) > CONCENTRATED:
            said.append(
                f"concentrated: {int(row['customers']):,} of {int(row['all_customers']):,}"
                f" customers hold {row['share']:.0%} of the value; set value_cap: 0.99 so that they"
                " do not set the expected value of everyone's orders"
            )
    return said


def _no_holdout(found: Customers, unit: str) -> str:
    if not {*CALIBRATION, "holdout_frequency"} <= found.columns:
        return (
            "no holdout, so nothing says how good the model is: the SELECT has no calibration"
            " columns; clv_customer_summary shows which"
        )
    longest = float(found.observed["longest_age"] or 0)
    return (
        f"no holdout, so nothing says how good the model is: {longest:,.0f} {unit}s are observed,"
        " and it takes 26 weeks; set calibration_end to have one all the same"
    )


def expectation(found: Customers, horizon: int, expected: float) -> str:
    """Return the line that sets the expected orders beside the last equal period's."""
    unit = f"{found.time_unit}s" if horizon != 1 else found.time_unit
    verb = "is" if round(expected) == 1 else "are"
    line = f"{counted(round(expected), 'order')} {verb} expected in the next {horizon} {unit}"
    recent, longest = found.observed.get("recent_orders"), found.observed["longest_age"]
    if recent is None or longest is None:
        return line
    if float(longest) < horizon:
        seen = f"the {float(longest):,.0f} {unit} observed so far"
        return f"{line}; {seen} had {counted(int(recent), 'repeat one')}"
    return f"{line}; the last {horizon} had {counted(int(recent), 'repeat one')}"
