"""The models of buying and of value: their parameters, starts, and sums made into derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seg_sql.algorithms.clv_newton import Evaluation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[Any]

Row = Mapping[str, Any]

# Ends of the double-exponential quadratures, in the variable of equal steps.
FIRST_NODE, LAST_NODE = -3.5, 3.7
# The same for a function with one top: places are sinh of equal steps to both sides of it.
ROUND_END = 4.25
NODES_TO_FIT, NODES_TO_SCORE, NODES_IF_STEEP = 41, 61, 81
# More change the orders that BG/NBD expects by less than 1e-12 of them.
NODES_OF_ORDERS = 41


@dataclass(frozen=True)
class ClvModel:
    """A model as the driver knows it.

    Attributes:
        name: Its name in options and tables.
        parameters: The names of its parameters.
        template: The statement that sums up its likelihood.
        start: The parameters to start from, and an ordinary size of each, from moments.
        evaluation: Makes the log-likelihood and its derivatives from the sums.
        other_starts: Where else to start from: a likelihood may have several tops.
    """

    name: str
    parameters: tuple[str, ...]
    template: str
    start: Callable[[Row], tuple[Vector, Vector]]
    evaluation: Callable[[Vector, Row], Evaluation]
    other_starts: Callable[[Row], list[Vector]] = lambda _: []


def nodes(count: int) -> list[dict[str, float]]:
    """Return places and weights of quadratures over (0, infinity), and over all numbers (round)."""
    step = (LAST_NODE - FIRST_NODE) / (count - 1)
    round_step = 2 * ROUND_END / (count - 1)
    found = []
    for index in range(count):
        tau, round_tau = FIRST_NODE + index * step, -ROUND_END + index * round_step
        place = math.exp(tau - math.exp(-tau))
        found.append(
            {
                "place": place,
                "weight": step * place * (1 + math.exp(-tau)),
                "round_place": math.sinh(round_tau),
                "round_weight": round_step * math.cosh(round_tau),
            }
        )
    return found


def _rate(sizes: Row) -> tuple[float, float, float]:
    """Return r and alpha of gamma distributed rates, by the moments of x, and the mean age."""
    customers = float(sizes["customers"])
    mean = float(sizes["purchases"]) / customers
    variance = float(sizes["squares"]) / customers - mean * mean
    age = max(float(sizes["ages"]) / customers, 1e-3)
    r = min(max(mean * mean / max(variance - mean, 0.05 * mean), 0.05), 20.0)
    return r, r * age / mean, age


def _bg_start(sizes: Row) -> tuple[Vector, Vector]:
    import numpy as np

    r, alpha, age = _rate(sizes)
    return np.array([r, alpha, 0.5, 2.0]), np.array([1.0, max(alpha, age), 1.0, 1.0])


def _bg_others(sizes: Row) -> list[Vector]:
    """Return starts where many leave early, where all are average, and where half leave at once.

    Of 150 random data sets each has the best top that is known from one of these or from the
    moments; the first is what MBG/NBD needs most.
    """
    import numpy as np

    r, alpha, _ = _rate(sizes)
    oldest = max(float(sizes["oldest"]), 1e-3)
    return [
        np.array([r, alpha, 0.3, 0.5]),
        np.array([1.1, 0.11 * oldest, 1.1, 1.1]),
        np.array([2 * r, alpha, 1.0, 0.5]),
    ]


def _pareto_others(sizes: Row) -> list[Vector]:
    import numpy as np

    r, alpha, age = _rate(sizes)
    return [np.array([2 * r, 2 * alpha, 0.3, 0.3 * age]), np.array([r, alpha, 2.0, 3 * age])]


def _pareto_start(sizes: Row) -> tuple[Vector, Vector]:
    import numpy as np

    r, alpha, age = _rate(sizes)
    return np.array([r, alpha, 0.7, age]), np.array([1.0, max(alpha, age), 1.0, age])


def _value_start(sizes: Row) -> tuple[Vector, Vector]:
    """Start from how the logarithms of the means vary, within customers (1/x) and between them.

    Given q and v, ln m has the variance trigamma(q) + trigamma(px), which is about 1/p times 1/x.
    """
    import numpy as np

    n = float(sizes["customers"])
    log, inverse = float(sizes["logarithms"]) / n, float(sizes["inverses"]) / n
    variance = max(float(sizes["log_squares"]) / n - log * log, 0.0)
    spread = float(sizes["inverse_squares"]) / n - inverse * inverse
    together = (
        float(sizes["log_squares_by_x"]) - 2 * log * float(sizes["logarithms_by_x"])
    ) / n + log * log * inverse
    slope = (together - variance * inverse) / spread if spread > 1e-9 else 1 / 3
    p = min(max(1 / max(slope, 1e-9), 0.5), 20.0)
    q = min(max(1 / max(variance - inverse / p, 0.05) + 0.5, 1.2), 20.0)
    v = math.exp(log - math.log(p) + inverse / (2 * p) + math.log(q) - 1 / (2 * q))
    mean = float(sizes["means"]) / n
    return np.array([p, q, v]), np.array([1.0, 1.0, mean])


def _symmetric(rows: list[list[float]]) -> Vector:
    import numpy as np

    upper = np.array(rows)
    matrix: Vector = upper + upper.T - np.diag(np.diag(upper))
    return matrix


def _bg_evaluation(theta: Vector, row: Row) -> Evaluation:
    """Add the parts of BG/NBD or MBG/NBD; see sql/algorithms/clv/bg_nbd.sql."""
    import numpy as np

    _, alpha, a, _ = map(float, theta)
    r = float(theta[0])
    n = float(row["customers"])
    value = n * r * math.log(alpha) + row["r0"] + row["b0"] + row["value"]
    gradient = [
        n * math.log(alpha) + row["r1"] + row["d_r"],
        n * r / alpha + row["d_alpha"],
        row["d_a"] / a - row["ab1"],
        row["b1"] - row["ab1"] - row["d_b"],
    ]
    hessian = [
        [row["rr"] - row["r2"], n / alpha + row["r_alpha"], row["ra"] / a, -row["rb"]],
        [0, row["alpha_alpha"] - n * r / alpha**2, row["alpha_a"] / a, -row["alpha_b"]],
        [0, 0, (row["aa"] - row["d_a"]) / a**2 + row["ab2"], row["ab2"] - row["ab"] / a],
        [0, 0, 0, row["bb"] - row["b2"] + row["ab2"]],
    ]
    return Evaluation(value, np.array(gradient), _symmetric(hessian))


def _pareto_evaluation(theta: Vector, row: Row) -> Evaluation:
    """Add the parts of Pareto/NBD; see sql/algorithms/clv/pareto_nbd.sql."""
    import numpy as np

    r, alpha, s, beta = map(float, theta)
    n = float(row["customers"])
    value = n * (r * math.log(alpha) + s * math.log(beta)) + row["r0"] + row["value"]
    gradient = [
        n * math.log(alpha) + row["r1"] + row["d_r"],
        n * r / alpha + row["d_alpha"],
        n * math.log(beta) + row["d_s"],
        n * s / beta + row["d_beta"],
    ]
    hessian = [
        [row["rr"] - row["r2"], n / alpha + row["r_alpha"], row["rs"], row["r_beta"]],
        [0, row["alpha_alpha"] - n * r / alpha**2, row["alpha_s"], row["alpha_beta"]],
        [0, 0, row["ss"], n / beta + row["s_beta"]],
        [0, 0, 0, row["beta_beta"] - n * s / beta**2],
    ]
    return Evaluation(value, np.array(gradient), _symmetric(hessian))


def _value_evaluation(theta: Vector, row: Row) -> Evaluation:
    """Add the parts of Gamma-Gamma; see sql/algorithms/clv/gamma_gamma.sql.

    The sum of ln m, which no parameter changes, is taken off by the caller.
    """
    import numpy as np

    p, q, v = map(float, theta)
    n = float(row["customers"])
    value = row["g"] + p * row["shares"] - q * row["above_v"]
    gradient = [
        row["g_p"] + row["shares"],
        row["g_q"] - row["above_v"],
        q * row["q_v"] - p * row["p_v"],
    ]
    hessian = [
        [row["g_pp"], row["g_pq"], -row["p_v"]],
        [0, row["g_qq"], row["q_v"]],
        [0, 0, p * row["x_hh"] + q * (row["hh"] - n / v**2)],
    ]
    return Evaluation(value, np.array(gradient), _symmetric(hessian))


def finite(evaluation: Evaluation) -> bool:
    """Return whether all of an evaluation can be computed with."""
    import numpy as np

    return bool(
        math.isfinite(evaluation.value)
        and np.isfinite(evaluation.gradient).all()
        and np.isfinite(evaluation.hessian).all()
    )


BG = (("r", "alpha", "a", "b"), "bg_nbd", _bg_start, _bg_evaluation, _bg_others)
BUYING = {
    "mbg_nbd": ClvModel("mbg_nbd", *BG),
    "bg_nbd": ClvModel("bg_nbd", *BG),
    "pareto_nbd": ClvModel(
        "pareto_nbd",
        ("r", "alpha", "s", "beta"),
        "pareto_nbd",
        _pareto_start,
        _pareto_evaluation,
        _pareto_others,
    ),
}
VALUE = ClvModel("gamma_gamma", ("p", "q", "v"), "gamma_gamma", _value_start, _value_evaluation)
MODELS = {**BUYING, VALUE.name: VALUE}
