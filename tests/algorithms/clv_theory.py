"""The models of buying as their papers write them, to set beside what the database computes.

One customer at a time in mpmath, to 30 digits: Fader, Hardie and Lee (2005) for BG/NBD; Batislam,
Denizel and Filiztekin (2007) for MBG/NBD; Schmittlein, Morrison and Colombo (1987) for Pareto/NBD;
Fader and Hardie (2013) for Gamma-Gamma. Many customers at a time in numpy: log-likelihoods for
scipy to climb, and draws from each model's process. Nothing here shares a form with sql/.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import mpmath as mp
import numpy as np
from scipy import optimize, special

PARAMETERS = {
    "bg_nbd": ("r", "alpha", "a", "b"),
    "mbg_nbd": ("r", "alpha", "a", "b"),
    "pareto_nbd": ("r", "alpha", "s", "beta"),
    "gamma_gamma": ("p", "q", "v"),
}
DIGITS = 40
# The formulas of the papers divide by a - 1 and s - 1, and have limits where these are 0.
OFF = mp.mpf(10) ** -14


def precise(function: Callable[..., Any]) -> Callable[..., float]:
    """Compute in mpmath with digits to spare, and return a float."""

    @functools.wraps(function)
    def computed(*arguments: Any) -> float:
        with mp.workdps(DIGITS):
            return float(function(*(mp.mpf(each) for each in arguments)))

    return computed


@precise
def bg_p_alive(r: Any, alpha: Any, a: Any, b: Any, x: Any, t_x: Any, T: Any) -> Any:
    """Fader, Hardie & Lee (2008), note 021: P(alive) of BG/NBD; 1 without a repeat purchase."""
    if x == 0:
        return mp.mpf(1)
    return 1 / (1 + a / (b + x - 1) * ((alpha + T) / (alpha + t_x)) ** (r + x))


@precise
def mbg_p_alive(r: Any, alpha: Any, a: Any, b: Any, x: Any, t_x: Any, T: Any) -> Any:
    """Batislam et al. (2007), equation 7."""
    return 1 / (1 + a / (b + x) * ((alpha + T) / (alpha + t_x)) ** (r + x))


def _off(value: Any, pole: int) -> Any:
    """Step off a pole of a formula that has a limit there."""
    return value + OFF if value == pole else value


def _while_alive(k: Any, z: Any, a: Any, left: Any, c: Any) -> Any:
    a = _off(a, 1)
    return c / (a - 1) * (1 - (1 - z) ** k * mp.hyp2f1(k, left, c, z))


@precise
def bg_expected(r: Any, alpha: Any, a: Any, b: Any, x: Any, t_x: Any, T: Any, t: Any) -> Any:
    """Fader, Hardie & Lee (2005), equation 10: expected orders in the next t."""
    orders = _while_alive(r + x, t / (alpha + T + t), a, b + x, _off(_off(a, 1) + b + x - 1, 0))
    return orders * bg_p_alive(r, alpha, a, b, x, t_x, T)


@precise
def mbg_expected(r: Any, alpha: Any, a: Any, b: Any, x: Any, t_x: Any, T: Any, t: Any) -> Any:
    """Batislam et al. (2007), equation 8: expected orders in the next t."""
    orders = _while_alive(r + x, t / (alpha + T + t), a, b + x + 1, _off(a, 1) + b + x)
    return orders * mbg_p_alive(r, alpha, a, b, x, t_x, T)


@precise
def thinned_orders(k: Any, tau: Any, a: Any, b: Any) -> Any:
    """Integrate (1 - (1 + p tau)^-k) / p over a chance to leave p with the density Beta(a, b).

    What a customer buys who is alive, by another way than the 2F1 above: (1 - exp(-lambda p t)) / p
    orders by t, where lambda is Gamma(k, alpha + T) and tau = t / (alpha + T). There is no pole at
    a = 1; that of the density at 0 is taken away by p = u^(1/a).
    """
    if tau == 0:
        return mp.mpf(0)
    power = min(a, 1)

    def at(u: Any) -> Any:
        p = u ** (1 / power)
        orders = -mp.expm1(-k * mp.log1p(p * tau)) / p
        return orders * p ** (a - power) * (1 - p) ** (b - 1) / power

    mean = a / (a + b)
    spread = mp.sqrt(mean * (1 - mean) / (a + b + 1))
    bends = {mean + steps * spread for steps in (-12, -5, -2, 0, 2, 5, 12, 40)} | {1 / (k * tau)}
    parts = sorted({mp.mpf(0), mp.mpf(1), *(each**power for each in bends if 0 < each < 1)})
    return mp.quad(at, parts) / mp.beta(a, b)


def _pareto_left_over_alive(r: Any, alpha: Any, s: Any, beta: Any, x: Any, t_x: Any, T: Any) -> Any:
    """Return the likelihood of having left by T over that of being alive.

    Fader & Hardie (2005), note 009: A0 is a difference of two 2F1, by which of alpha and beta is
    larger.
    """
    k = r + s + x
    large, small, second = (alpha, beta, s + 1) if alpha >= beta else (beta, alpha, r + x)

    def term(t: Any) -> Any:
        return mp.hyp2f1(k, second, k + 1, (large - small) / (large + t)) / (large + t) ** k

    return s / k * (alpha + T) ** (r + x) * (beta + T) ** s * (term(t_x) - term(T))


@precise
def pareto_left_over_alive(r: Any, alpha: Any, s: Any, beta: Any, x: Any, t_x: Any, T: Any) -> Any:
    """Integrate over the time of leaving instead, which runs from t_x to T.

    Both likelihoods are proportional to (alpha + .)^-(r + x) (beta + .)^-s.
    """
    if t_x == T:
        return mp.mpf(0)
    k = r + x

    def at(y: Any) -> Any:
        return mp.exp(
            k * (mp.log(alpha + T) - mp.log(alpha + y))
            + s * (mp.log(beta + T) - mp.log(beta + y))
            - mp.log(beta + y)
        )

    # Most of it lies within a few 1/(k + s) of t_x, in units of the smaller of alpha and beta.
    scale = (min(alpha, beta) + t_x) / (k + s)
    parts = [t_x, *(t_x + step * scale for step in (1, 5, 25, 125) if t_x + step * scale < T), T]
    return s * mp.quad(at, parts)


@precise
def pareto_p_alive(r: Any, alpha: Any, s: Any, beta: Any, x: Any, t_x: Any, T: Any) -> Any:
    """Schmittlein et al. (1987), equation 11."""
    return 1 / (1 + _pareto_left_over_alive(r, alpha, s, beta, x, t_x, T))


@precise
def pareto_expected(r: Any, alpha: Any, s: Any, beta: Any, x: Any, t_x: Any, T: Any, t: Any) -> Any:
    """Fader & Hardie (2005), note 009, equation 41: expected orders in the next t."""
    s_1 = _off(s - 1, 0)
    orders = (r + x) * (beta + T) / (alpha + T) * -mp.expm1(-s_1 * mp.log1p(t / (beta + T))) / s_1
    return orders / (1 + _pareto_left_over_alive(r, alpha, s, beta, x, t_x, T))


@precise
def order_value(p: Any, q: Any, v: Any, x: Any, m: Any) -> Any:
    """Fader & Hardie (2013), equation 5: the mean value of all orders, given that of x."""
    if x == 0:
        return p * v / (q - 1)
    return (q - 1) / (p * x + q - 1) * (p * v / (q - 1)) + p * x / (p * x + q - 1) * m


P_ALIVE = {"bg_nbd": bg_p_alive, "mbg_nbd": mbg_p_alive, "pareto_nbd": pareto_p_alive}
EXPECTED = {"bg_nbd": bg_expected, "mbg_nbd": mbg_expected, "pareto_nbd": pareto_expected}


def lifetime_value(
    model: str,
    parameters: Sequence[float],
    customer: tuple[float, float, float],
    value: float,
    *,
    horizon: int,
    discount_rate: float,
    margin: float,
) -> float:
    """Return the discounted value of the orders of each time unit of the horizon."""
    upto = [EXPECTED[model](*parameters, *customer, t) for t in range(horizon + 1)]
    return sum(
        margin * value * (upto[i] - upto[i - 1]) / (1 + discount_rate) ** i
        for i in range(1, horizon + 1)
    )


# The same likelihoods over arrays, with the constants that do not depend on the parameters.


def bg_log_likelihood(theta: Sequence[float], x: Any, t_x: Any, T: Any) -> Any:
    """Return each customer's log-likelihood: Fader, Hardie & Lee (2005), equation 6."""
    r, alpha, a, b = theta
    gammas = special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha)
    betas = special.betaln(a, b + x) - special.betaln(a, b)
    alive = betas - (r + x) * np.log(alpha + T)
    left = special.betaln(a + 1, b + np.maximum(x, 1) - 1) - special.betaln(a, b)
    left = np.where(x > 0, left - (r + x) * np.log(alpha + t_x), -np.inf)
    return gammas + np.logaddexp(alive, left)


def mbg_log_likelihood(theta: Sequence[float], x: Any, t_x: Any, T: Any) -> Any:
    """Return each customer's log-likelihood: Batislam et al. (2007), equation 3."""
    r, alpha, a, b = theta
    gammas = special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha)
    alive = special.betaln(a, b + x + 1) - special.betaln(a, b) - (r + x) * np.log(alpha + T)
    left = special.betaln(a + 1, b + x) - special.betaln(a, b) - (r + x) * np.log(alpha + t_x)
    return gammas + np.logaddexp(alive, left)


NODES, WEIGHTS = np.polynomial.legendre.leggauss(96)


def pareto_log_likelihood(theta: Sequence[float], x: Any, t_x: Any, T: Any) -> Any:
    """Return each customer's log-likelihood, the time of leaving integrated by Gauss-Legendre."""
    r, alpha, s, beta = theta
    k = r + x
    # y runs over its logarithm beside the smaller of alpha and beta, no further than where nothing
    # is left.
    with np.errstate(over="ignore"):
        last = np.minimum(T, (alpha + t_x) * np.exp(45 / np.maximum(k - 1, 0.05)) - alpha)
    beside = min(alpha, beta)
    start, end = np.log(beside + t_x), np.log(beside + last)
    u = start[:, None] + (end - start)[:, None] * (NODES + 1) / 2
    y = np.exp(u) - beside
    logs = u - k[:, None] * np.log(alpha + y) - (s + 1) * np.log(beta + y)
    top = logs.max(axis=1)
    inner = (np.exp(logs - top[:, None]) * WEIGHTS).sum(axis=1) * (end - start) / 2
    with np.errstate(divide="ignore"):
        left = np.log(s) + top + np.log(inner)
    alive = -k * np.log(alpha + T) - s * np.log(beta + T)
    gammas = special.gammaln(k) - special.gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    return gammas + np.logaddexp(alive, left)


def gamma_gamma_log_likelihood(theta: Sequence[float], x: Any, m: Any) -> Any:
    """Return each repeat customer's log-likelihood: Fader & Hardie (2013), equation 1a."""
    p, q, v = theta
    return (
        special.gammaln(p * x + q)
        - special.gammaln(p * x)
        - special.gammaln(q)
        + q * np.log(v)
        + (p * x - 1) * np.log(m)
        + p * x * np.log(x)
        - (p * x + q) * np.log(v + x * m)
    )


LOG_LIKELIHOOD: dict[str, Callable[..., Any]] = {
    "bg_nbd": bg_log_likelihood,
    "mbg_nbd": mbg_log_likelihood,
    "pareto_nbd": pareto_log_likelihood,
    "gamma_gamma": gamma_gamma_log_likelihood,
}


def standard_errors(total: Callable[[Any], float], theta: Sequence[float]) -> Any:
    """Return standard errors from the Hessian of a log-likelihood by fourth-order differences."""
    theta = np.asarray(theta, dtype=float)
    steps = 2e-3 * theta
    count = len(theta)
    hessian = np.empty((count, count))
    offsets, weights = (-2, -1, 1, 2), np.array([1, -8, 8, -1]) / 12
    for i in range(count):
        for j in range(count):
            value = 0.0
            for first, u in zip(offsets, weights, strict=True):
                for second, w in zip(offsets, weights, strict=True):
                    moved = theta.copy()
                    moved[i] += first * steps[i]
                    moved[j] += second * steps[j]
                    value += u * w * total(moved)
            hessian[i, j] = value / (steps[i] * steps[j])
    return np.sqrt(np.diag(np.linalg.inv(-hessian)))


def best_fit(total: Callable[[Any], float], starts: Sequence[Sequence[float]]) -> tuple[Any, float]:
    """Climb a log-likelihood with scipy from several starts; return the best point and value."""

    def loss(logs: Any) -> float:
        with np.errstate(all="ignore"):
            value = -total(np.exp(logs))
        return value if np.isfinite(value) else 1e300

    climbed = [
        optimize.minimize(loss, np.log(start), method="L-BFGS-B", bounds=[(-16, 16)] * len(start))
        for start in starts
    ]
    best = optimize.minimize(
        loss,
        min(climbed, key=lambda each: each.fun).x,
        method="Nelder-Mead",
        options={"xatol": 1e-6, "fatol": 1e-6, "maxiter": 1000},
    )
    return np.exp(best.x), -float(best.fun)


# Draws from the processes that the papers assume. x, t_x and T come out exactly distributed: the
# purchases of a Poisson process in a span are uniform there, and so a beta variate is the k-th.


def draw_bg(random: Any, theta: Sequence[float], T: Any, *, first: int = 0) -> tuple[Any, Any]:
    """Draw x and t_x of BG/NBD; with first=1 of MBG/NBD, where one may leave at once."""
    r, alpha, a, b = theta
    size = len(T)
    wished = random.poisson(random.gamma(r, 1 / alpha, size) * T)
    leaving = np.maximum(random.beta(a, b, size), 1e-12)
    kept = random.geometric(leaving) - first
    x = np.minimum(wished, kept)
    share = random.beta(np.maximum(x, 1), wished - x + 1)
    return x, np.where(x > 0, share * T, 0.0)


def draw_pareto(random: Any, theta: Sequence[float], T: Any) -> tuple[Any, Any]:
    """Draw x and t_x of Pareto/NBD."""
    r, alpha, s, beta = theta
    size = len(T)
    rate, leaving = random.gamma(r, 1 / alpha, size), random.gamma(s, 1 / beta, size)
    alive = np.minimum(T, random.exponential(1, size) / np.maximum(leaving, 1e-300))
    x = random.poisson(rate * alive)
    return x, np.where(x > 0, random.beta(np.maximum(x, 1), 1, size) * alive, 0.0)


def draw_values(random: Any, theta: Sequence[float], x: Any) -> Any:
    """Draw the mean value of x orders of Gamma-Gamma; NaN where there is none."""
    p, q, v = theta
    rate = random.gamma(q, 1 / v, len(x))
    of_repeaters = random.gamma(p * np.maximum(x, 1)) / (rate * np.maximum(x, 1))
    return np.where(x > 0, of_repeaters, np.nan)


def draw(random: Any, model: str, theta: Sequence[float], T: Any) -> tuple[Any, Any]:
    """Draw x and t_x of a model."""
    if model == "pareto_nbd":
        return draw_pareto(random, theta, T)
    return draw_bg(random, theta, T, first=int(model == "mbg_nbd"))
