"""The processes that the demo is drawn from: repeat purchases and values, as the models find them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from demo_shop import CUSTOMERS, ERRORS, TRUTH, Shop
from scipy import optimize, special


@dataclass(frozen=True)
class Summary:
    """Repeat purchases, recency and age in weeks, and mean repeat value of each customer."""

    x: np.ndarray
    t_x: np.ndarray
    T: np.ndarray
    m: np.ndarray


@pytest.fixture(scope="module")
def summary(shop: Shop) -> Summary:
    """Summarise the files as REFERENCE section 1 says: by day, refund-only days left out."""
    rows = shop.rows(
        f"""
        with days as (
            select customer_id, ordered_at::date as day, min(quantity) as least,
                sum(quantity * unit_price) as value
            from {{order_lines}}
            where customer_id is not null and customer_id <> 'GUEST'
            group by all
        ),
        occasions as (
            select customer_id, day, value, min(day) over (partition by customer_id) as first_day
            from days
            where least >= 0 or value > 0
        )
        select count(*) - 1, (max(day) - min(day)) / 7e0,
            (date '{TRUTH.last_day}' - min(day)) / 7e0,
            coalesce(avg(value) filter (where day > first_day), 0)
        from occasions
        group by customer_id
        """
    )
    return Summary(*np.array(rows, dtype=float).T)


def test_every_customer_buys_and_the_demo_looks_like_a_shop(summary: Summary) -> None:
    assert len(summary.x) == CUSTOMERS
    assert 0.40 < np.mean(summary.x == 0) < 0.55  # what the demo is meant to look like
    assert 4 < 1 + summary.x.mean() < 6


def test_the_share_of_one_time_buyers_is_that_of_the_bg_nbd(summary: Summary) -> None:
    # Fader, Hardie and Lee (2005): P(X(t) = 0) = (alpha / (alpha + t))^r.
    chance = (TRUTH.alpha / (TRUTH.alpha + summary.T)) ** TRUTH.r
    spread = math.sqrt(np.sum(chance * (1 - chance)))
    assert abs(np.sum(summary.x == 0) - chance.sum()) < ERRORS * spread


def test_the_mean_number_of_repeat_purchases_is_that_of_the_bg_nbd(summary: Summary) -> None:
    # Fader, Hardie and Lee (2005), equation 9: E[X(t)].
    r, alpha, a, b = TRUTH.r, TRUTH.alpha, TRUTH.a, TRUTH.b
    t = summary.T
    series = special.hyp2f1(r, b, a + b - 1, t / (alpha + t))
    expected = (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + t)) ** r * series)
    difference = summary.x - expected
    assert abs(difference.mean()) < ERRORS * difference.std() / math.sqrt(len(difference))


def fitted(loss: Callable[[np.ndarray], float], start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Minimise a negative log-likelihood; return the logs of the parameters and their errors."""
    best = optimize.minimize(loss, start, method="Nelder-Mead", options={"fatol": 1e-4}).x
    step = 1e-3 * np.eye(len(best))
    hessian = [
        [
            (loss(best + i + j) - loss(best + i - j) - loss(best - i + j) + loss(best - i - j))
            / 4e-6
            for j in step
        ]
        for i in step
    ]
    return best, np.sqrt(np.diag(np.linalg.inv(np.array(hessian))))


def test_the_bg_nbd_parameters_are_recovered(summary: Summary) -> None:
    x, t_x, age = summary.x, summary.t_x, summary.T

    def loss(logs: np.ndarray) -> float:
        # The log-likelihood of REFERENCE section 1.
        r, alpha, a, b = np.exp(logs)
        alive = -(r + x) * np.log(alpha + age)
        left = np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + t_x)
        ln = special.gammaln
        each = ln(r + x) - ln(r) + r * np.log(alpha) + ln(a + b) + ln(b + x)
        each += np.logaddexp(alive, np.where(x > 0, left, -np.inf)) - ln(b) - ln(a + b + x)
        return -float(each.sum())

    best, errors = fitted(loss, np.zeros(4))
    true = np.log([TRUTH.r, TRUTH.alpha, TRUTH.a, TRUTH.b])
    assert (np.abs(best - true) < 3 * errors).all()
    assert (errors < 0.2).all()  # else the line above would say little


def test_the_gamma_gamma_parameters_are_recovered(summary: Summary) -> None:
    keep = (summary.x > 0) & (summary.m > 0)
    x, m = summary.x[keep], summary.m[keep]

    def loss(logs: np.ndarray) -> float:
        # Fader and Hardie (2013), equation 1a.
        p, q, v = np.exp(logs)
        ln = special.gammaln
        each = ln(p * x + q) - ln(p * x) - ln(q) + q * np.log(v) - np.log(m)
        each += p * x * np.log(m * x) - (p * x + q) * np.log(x * m + v)
        return -float(each.sum())

    best, errors = fitted(loss, np.log([3.0, 3.0, 30.0]))
    true = np.log([TRUTH.p, TRUTH.q, TRUTH.v])
    assert (np.abs(best - true) < 3 * errors).all()
    assert (errors < 0.2).all()


def test_the_mean_order_value_is_that_of_the_gamma_gamma(shop: Shop) -> None:
    # First purchases, one for each buyer, are independent: mean pv/(q-1), and a second moment of
    # p(p+1) v^2 / ((q-1)(q-2)).
    p, q, v = TRUTH.p, TRUTH.q, TRUTH.v
    values = shop.column(
        "select order_value from orders where purchase % 1024 = 0 and refund is null"
    )
    mean = p * v / (q - 1)
    variance = p * (p + 1) * v**2 / ((q - 1) * (q - 2)) - mean**2
    assert abs(values.mean() - mean) < ERRORS * math.sqrt(variance / len(values))
