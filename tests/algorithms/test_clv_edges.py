"""Customers and parameters at the edge, against the papers' formulas in 40 digits.

Where other packages give NaN, infinity or the values they started from: no repeat purchase with
a + b < 1, hundreds of purchases, T = t_x, T = 0, and the removable poles at a = 1, s = 1,
alpha = beta and q = 1.
"""

from __future__ import annotations

import math
from typing import Any

import clv_theory as theory
import numpy as np
import pandas as pd
import pytest
from clv_fitting import Summaries

from seg_sql.algorithms.clv_checks import expectation
from seg_sql.algorithms.clv_prepare import Customers

# x, t_x, T. The last bought daily for 100 weeks and then not for 300.
CUSTOMERS: list[tuple[int, float, float]] = [
    (0, 0, 0),
    (0, 0, 0.14285714),
    (0, 0, 40),
    (0, 0, 5000),
    (1, 0.14285714, 0.14285714),
    (1, 3, 40),
    (1, 40, 40),
    (3, 20, 20),
    (30, 35, 36),
    (200, 35, 35),
    (200, 80, 90),
    (500, 140, 150),
    (1000, 143, 143),
    (1000, 143, 143.14285714),
    (1000, 143, 160),
    (700, 100, 400),
]
NEAR = (1 - 1e-3, 1 - 1e-6, 1 - 1e-9, 1.0, 1 + 1e-12, 1 + 1e-9, 1 + 1e-6, 1 + 1e-3)
# Where fits to few or alike customers end: everybody has the same chance to leave, or one in a
# thousand leaves, or half leave at once and the others never.
AT_THE_BOUNDARY = (
    (1.4, 3.6, 20, 600),
    (0.8, 18, 400, 3000),
    (0.8, 18, 5.7e4, 4.6e5),
    (0.3, 39, 1e-3, 6e3),
    (0.2, 29, 1e-5, 1e-5),
)
SETS: dict[str, list[tuple[float, ...]]] = {
    # a + b < 1, = 1; a near 1; few customers buy at all.
    "bg_nbd": [
        (0.5, 5, 0.3, 0.4),
        (0.5, 5, 0.6, 0.4),
        *((0.25, 4.4, a, 2.4) for a in NEAR),
        *AT_THE_BOUNDARY,
        (0.01, 50, 0.05, 0.1),
        (4, 0.5, 3, 3),
    ],
    "mbg_nbd": [
        (0.5, 5, 0.3, 0.4),
        *((0.25, 4.4, a, 2.4) for a in NEAR),
        *AT_THE_BOUNDARY,
        (0.01, 50, 0.05, 0.1),
        (4, 0.5, 3, 3),
    ],
    # s near 1; alpha near beta, on both sides; far apart.
    "pareto_nbd": [
        *((0.55, 10.57, s, 11.67) for s in NEAR),
        *((0.55, 10.57, 0.6, 10.57 * near) for near in NEAR),
        (1.4, 40, 1.5, 1.5),
        (0.3, 0.5, 0.7, 50),
        (0.8, 6, 1e5, 1e6),
        (0.8, 6, 1e-4, 10),
        (0.01, 50, 0.05, 0.1),
        (4, 0.5, 3, 3),
    ],
}
# The formulas are right to 1e-9 where a <= 3 and t / (alpha + T) <= 10; the farthest corner here
# has a = 20 and t / (alpha + T) = 104.
CLOSE = 1e-7


def frame(customers: Any, groups: int) -> Any:
    """Return the summary of the same customers in each of the groups g0, g1, ..."""
    parts = []
    for number in range(groups):
        part = pd.DataFrame(customers, columns=["frequency", "recency", "age"])
        part["monetary_value"] = np.where(
            part["frequency"] > 0, 20.0 + part["frequency"] / 7, np.nan
        )
        parts.append(part.assign(cohort=f"g{number}"))
    return pd.concat(parts, ignore_index=True)


def is_finite(row: dict[str, Any]) -> bool:
    return all(math.isfinite(value) for value in row.values() if isinstance(value, float))


@pytest.mark.parametrize("model", SETS)
def test_the_edges_of_a_model_of_buying(summaries: Summaries, model: str) -> None:
    """Every customer under every set of parameters: one score, right to the last digits."""
    sets = SETS[model]
    summary = frame(CUSTOMERS, len(sets))
    summaries.load(summary)
    names = theory.PARAMETERS[model]
    parameters = {}
    for number, theta in enumerate(sets):
        parameters[f"g{number}", model] = dict(zip(names, theta, strict=True))
        parameters[f"g{number}", "gamma_gamma"] = {"p": 6.25, "q": 3.74, "v": 15.4}
    rows = summaries.score(parameters, model=model, horizon=52, group_by=["cohort"])
    assert len(rows) == len(summary)

    for number, (x, t_x, T, m, group) in enumerate(summary.itertuples(index=False), start=1):
        row = rows[number]
        assert is_finite(row), row
        theta = sets[int(group[1:])]
        alive = theory.P_ALIVE[model](*theta, x, t_x, T)
        orders = theory.EXPECTED[model](*theta, x, t_x, T, 52)
        value = theory.order_value(6.25, 3.74, 15.4, x, m if x else 0)
        which = (theta, (x, t_x, T))
        # What is less than 1e-15 may be less still: exponents are held where no engine raises.
        assert row["p_alive"] == pytest.approx(alive, rel=1e-9, abs=1e-15), which
        assert row["expected_orders"] == pytest.approx(orders, rel=CLOSE, abs=1e-12), which
        assert row["expected_order_value"] == pytest.approx(value, rel=1e-12), which
        assert row["clv"] == pytest.approx(orders * value, rel=CLOSE, abs=1e-10), which
        assert 0 <= row["p_alive"] <= 1
        assert row["expected_orders"] >= 0


def test_the_value_of_an_order_with_q_just_above_1(summaries: Summaries) -> None:
    """pv / (q - 1) is large, and finite; a repeat purchase outweighs it at once."""
    shapes = (1 + 1e-9, 1 + 1e-6, 1.001, 1.1, 50.0)
    summary = frame([(0, 0, 40), (1, 3, 40), (1000, 143, 160)], len(shapes))
    summaries.load(summary)
    parameters = {}
    for number, q in enumerate(shapes):
        buying = {"r": 0.52, "alpha": 6.2, "a": 0.9, "b": 1.6}
        parameters[f"g{number}", "mbg_nbd"] = buying
        parameters[f"g{number}", "gamma_gamma"] = {"p": 6.25, "q": q, "v": 15.4}
    rows = summaries.score(parameters, model="mbg_nbd", horizon=4, group_by=["cohort"])
    for number, (x, t_x, T, m, group) in enumerate(summary.itertuples(index=False), start=1):
        q = shapes[int(group[1:])]
        value = theory.order_value(6.25, q, 15.4, x, m if x else 0)
        orders = theory.mbg_expected(0.52, 6.2, 0.9, 1.6, x, t_x, T, 4)
        assert is_finite(rows[number])
        # q - 1 itself is known to 1e-16 / 1e-9.
        assert rows[number]["expected_order_value"] == pytest.approx(value, rel=1e-6)
        assert rows[number]["clv"] == pytest.approx(orders * value, rel=1e-6, abs=1e-10)


@pytest.mark.parametrize("model", SETS)
def test_a_discounted_horizon_at_the_edges(summaries: Summaries, model: str) -> None:
    """The sum over the time units of the horizon, each discounted at its end."""
    theta = {"bg_nbd": (0.5, 5, 1.0, 0.4), "mbg_nbd": (0.5, 5, 1.0, 0.4)}.get(model, (0.5, 5, 1, 5))
    customers = [each for each in CUSTOMERS if each != (700, 100, 400)]
    summary = frame(customers, 1)
    summaries.load(summary)
    values = {"p": 6.25, "q": 3.74, "v": 15.4}
    rows = summaries.score(
        {
            ("all", model): dict(zip(theory.PARAMETERS[model], theta, strict=True)),
            ("all", "gamma_gamma"): values,
        },
        model=model,
        horizon=5,
        discount_rate=0.02,
        margin=0.25,
    )
    for number, (x, t_x, T, m, _) in enumerate(summary.itertuples(index=False), start=1):
        value = theory.order_value(*values.values(), x, m if x else 0)
        worth = theory.lifetime_value(
            model, theta, (x, t_x, T), value, horizon=5, discount_rate=0.02, margin=0.25
        )
        assert rows[number]["clv"] == pytest.approx(worth, rel=1e-6, abs=1e-10), (x, t_x, T)


@pytest.mark.parametrize("model", SETS)
def test_a_fit_with_customers_at_the_edge(summaries: Summaries, model: str) -> None:
    """Its log-likelihood is that of the formulas, and no scipy search finds a better one."""
    random = np.random.default_rng(7)
    T = random.integers(0, 280, 600) / 7
    x, t_x = theory.draw(random, model, (0.6, 8.0, 0.8, 6.0), T)
    summary = pd.DataFrame({"frequency": x, "recency": t_x, "age": T})
    edges = pd.DataFrame(CUSTOMERS, columns=["frequency", "recency", "age"])
    summary = pd.concat([summary, edges], ignore_index=True)
    summary["monetary_value"] = theory.draw_values(
        random, (6, 4, 15), summary["frequency"].to_numpy()
    )
    summaries.load(summary)
    _, outputs = summaries.fit(model=model, horizon=52)

    arrays = [summary[name].to_numpy(float) for name in ("frequency", "recency", "age")]

    def total(theta: Any) -> float:
        return float(theory.LOG_LIKELIHOOD[model](theta, *arrays).sum())

    found = {
        row["parameter"]: row["estimate"]
        for row in outputs["parameters"]
        if (row["model"], row["fit"]) == (model, "full")
    }
    theta = [found[name] for name in theory.PARAMETERS[model]]
    (row,) = [r for r in outputs["fit"] if (r["model"], r["fit"]) == (model, "full")]
    assert row["status"] in ("converged", "boundary")
    assert row["log_likelihood"] == pytest.approx(total(theta), rel=1e-9)
    _, best = theory.best_fit(total, [(0.6, 8.0, 0.8, 6.0), (0.2, 3.0, 1.5, 20.0)])
    assert row["log_likelihood"] > best - 1e-4
    assert len(outputs[""]) == len(summary)
    assert all(is_finite(each) for each in outputs[""])


@pytest.mark.parametrize("customer", CUSTOMERS[:-1:2])
def test_two_derivations_of_the_formulas_agree(customer: tuple[int, float, float]) -> None:
    """What the tests above lean on: the 2F1 of the papers against integrals over the processes."""
    x, _, T = customer
    for theta in ((0.5, 5, 0.3, 0.4), (0.25, 4.4, 1.0, 2.4), (1.4, 3.6, 3, 60)):
        r, alpha, a, b = theta
        for first, name in enumerate(("bg_nbd", "mbg_nbd")):
            orders = theory.thinned_orders(r + x, 52 / (alpha + T), a, b + x + first)
            expected = orders * theory.P_ALIVE[name](*theta, *customer)
            assert theory.EXPECTED[name](*theta, *customer, 52) == pytest.approx(expected, rel=1e-7)
    for theta in ((0.55, 10.57, 0.6, 11.67), (1.4, 40, 1, 1.5), (0.3, 5, 0.7, 5)):
        left = theory.pareto_left_over_alive(*theta, *customer)
        assert theory.pareto_p_alive(*theta, *customer) == pytest.approx(1 / (1 + left), rel=1e-9)


def test_one_order_is_one_order() -> None:
    observed = {"recent_orders": 1, "longest_age": 60.0}
    found = Customers("s", frozenset(), (), (), {}, observed, "week")
    assert expectation(found, 52, 1.2) == (
        "1 order is expected in the next 52 weeks; the last 52 had 1 repeat one"
    )
    assert expectation(found, 80, 1300.0).startswith("1,300 orders are expected in the next 80")
