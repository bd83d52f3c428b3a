"""P(alive), expected orders and value of each customer, as one SELECT for each model of buying."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seg_sql.algorithms.clv_climb import cells_sql, integrals_sql
from seg_sql.algorithms.clv_models import BUYING, NODES_OF_ORDERS, nodes
from seg_sql.algorithms.clv_prepare import Customers

if TYPE_CHECKING:
    from seg_sql.step import Steps

Parameters = Mapping[str, float]


def spent_row(fit: int, value: Parameters | None, *, mean: float | None = None) -> dict[str, Any]:
    """Return the numbers that the expected value of an order is made of.

    Where Gamma-Gamma has no finite mean (q <= 1), or is not fitted, repeat customers have their
    own mean, and others `prior`: the mean of the repeat customers' means, or, where that is not
    known any more, the value p / E[nu] at the mean rate.

    >>> spent_row(0, {"p": 2.0, "q": 3.0, "v": 10.0})["prior"]
    10.0
    """
    cap = float("inf") if value is None else value.get("value_cap", float("inf"))
    if value is None:
        return {"fit": fit, "p": 1.0, "q": 0.0, "v": 1.0, "cap": cap, "prior": mean or 0.0}
    p, q, v = value["p"], value["q"], value["v"]
    prior = p * v / (q - 1) if q > 1 else p * v / q if mean is None else mean
    return {"fit": fit, "p": p, "q": q, "v": v, "cap": cap, "prior": prior}


def periods(fit: int, horizon: float, discount_rate: float) -> list[dict[str, Any]]:
    """Return the times that expected orders are needed at, with their weights when discounted.

    sum_i (Y(i) - Y(i - 1)) d^i = sum_i Y(i) (d^i - d^(i + 1)), and the last Y has all of d^i.

    >>> [(each["place"], each["discount"]) for each in periods(0, 2, 1.0)]
    [(1.0, 0.25), (2.0, 0.25)]
    """
    if discount_rate <= 0:
        return [{"fit": fit, "place": float(horizon), "discount": 1.0}]
    factor = 1 / (1 + discount_rate)
    last = int(horizon)
    return [
        {
            "fit": fit,
            "place": float(place),
            "discount": factor**place - (factor ** (place + 1) if place < last else 0.0),
        }
        for place in range(1, last + 1)
    ]


def scored_sql(
    step: Steps,
    customers: Customers,
    part: str,
    model: str,
    parameters: Mapping[int, Parameters],
    *,
    spent: Mapping[int, Mapping[str, Any]],
    horizon: float,
    discount_rate: float = 0.0,
    margin: float = 1.0,
    kept: Mapping[str, str],
    counts: str | None = None,
) -> str:
    """Return the SELECT that scores the customers of those groups whose model this is.

    Args:
        step: Renders it; makes work tables where `counts` is given.
        customers: The customers.
        part: full or calibration.
        model: The model of buying.
        parameters: Its parameters by the number of the fit.
        spent: What `spent_row` gives, by the number of the fit.
        horizon: How far ahead, in time units.
        discount_rate: For each time unit.
        margin: The share of the value that counts.
        kept: Further columns, by name: the expressions they come from.
        counts: The counted customers of the fit; without them the SELECT stands for itself.
    """
    kind = BUYING[model]
    fits = [{"fit": id_, **values} for id_, values in parameters.items()]
    names = ["fit", *kind.parameters]
    plain = customers.select(step, part)
    source = counts or f"(\n{plain}\n)"
    times = [row for id_ in parameters for row in periods(id_, horizon, discount_rate)]
    expected = step.sql(
        "expected_pareto_nbd" if model == "pareto_nbd" else "expected_bg_nbd",
        counts=source,
        fits=fits,
        names=names,
        modified=model == "mbg_nbd",
        nodes=nodes(NODES_OF_ORDERS),
        periods=times,
    )
    integrals = {}
    if model == "pareto_nbd":
        cells = {side: f"(\n{each}\n)" for side, each in cells_sql(step, source).items()}
        integrals = integrals_sql(step, kind, cells, fits)
    if counts:
        expected = _kept(step, expected)
        integrals = {side: _kept(step, each) for side, each in integrals.items()}
    return step.sql(
        "scored",
        customers=customers.select(
            step, part, kept=[f"{expression} as {name}" for name, expression in kept.items()]
        ),
        expected=expected,
        integrals=integrals,
        model=model,
        fits=fits,
        names=names,
        spent=[spent[id_] for id_ in parameters],
        margin=margin,
        kept=list(kept),
    )


def _kept(step: Steps, select: str) -> str:
    """Return the same rows from a work table, which is known to be small when it is joined."""
    return step.sql("columns", relation=step.relation(step.table(select)))


def simple_sql(
    step: Steps, customers: Customers, method: str, *, margin: float, kept: Mapping[str, str]
) -> str:
    """Return the SELECT of the methods that need no fit."""
    return step.sql(
        "simple",
        customers=customers.select(
            step, "full", kept=[f"{expression} as {name}" for name, expression in kept.items()]
        ),
        method=method,
        margin=margin,
        kept=list(kept),
        has_history="historic_value" in customers.columns,
    )


def kept_columns(step: Steps, customers: Customers) -> dict[str, str]:
    """Return the key, under names that no column of the user's has, and the value so far."""
    kept = {f"key{place}": key for place, key in enumerate(customers.keys)}
    history = f"cast(null as {step.sql('double')})"
    if "historic_value" in customers.columns:
        history = "summary.historic_value"
    return {**kept, "historic_value": history}


def model_sql(
    step: Steps,
    scored: Sequence[str],
    customers: Customers,
    models: Mapping[int, str],
    *,
    cuts: Sequence[float] = (),
    as_of: str | None,
    horizon_end: str | None,
    fitted_as_of: str | None,
) -> str:
    """Return the SELECT of the model's own table from scored customers.

    `cuts` are the values between the tenths, where they are known already.
    """
    literal = step.engine.literal
    inner = [f"key{place}" for place in range(len(customers.keys))]
    keys = [key.removeprefix("summary.") for key in customers.keys]
    return step.sql(
        "model",
        scored=scored,
        cuts=[literal(float(cut)) for cut in cuts],
        cut_points=step.sql("cut_points", scored=["scored"]),
        kept=inner,
        keys=dict(zip(inner, keys, strict=True)),
        fits=[
            {"fit": id_, "group_key": customers.parts[id_].group_key, "model": model}
            for id_, model in models.items()
        ],
        as_of=literal(as_of),
        horizon_end=literal(horizon_end),
        fitted_as_of=literal(fitted_as_of),
    )


def constant_columns(
    step: Steps,
    customers: Customers,
    models: Mapping[int, str],
    days: Mapping[str, str | None],
) -> dict[str, str]:
    """Return the columns of the model's own table that are the same in every row, if any are.

    They need not be stored where an engine computes columns when they are read.
    """
    if len(models) > 1:
        return {}
    [(id_, model)] = models.items()
    texts = {"group_key": customers.parts[id_].group_key, "model": model}
    literal = step.engine.literal
    return {
        **{name: literal(text) for name, text in texts.items()},
        **{name: step.sql("day", day=literal(day)) for name, day in days.items()},
    }
