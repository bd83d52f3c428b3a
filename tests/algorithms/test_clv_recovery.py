"""clv against known truth, and against a search by scipy on random data sets.

Customers are drawn from each model's own process (clv_theory.py), at exact times, and fitted as
groups of one model: 20 seeds, or 150 sets of parameters.
"""

from __future__ import annotations

from typing import Any

import clv_theory as theory
import numpy as np
import pandas as pd
import pytest
from clv_fitting import Summaries, by_group
from clv_random_sets import drawn, random_sets
from shop import Shop

TRUTH = {
    "bg_nbd": (0.8, 6.0, 0.8, 3.0),
    "mbg_nbd": (0.8, 6.0, 0.8, 3.0),
    "pareto_nbd": (0.8, 6.0, 0.7, 10.0),
}
ORDER_VALUE = (6.0, 4.0, 15.0)
# Of all rows, from a start by moments to an optimum within: what Newton's method was measured to
# need on such data, and a little more.
MOST_EVALUATIONS = {"bg_nbd": 10, "mbg_nbd": 10, "pareto_nbd": 12, "gamma_gamma": 8}
SEEDS = 20
# Three standard errors hold 99.7 % of a normal estimate: 20 of 20 in 95 of 100 experiments, and
# fewer than 19 of 20 in 1 of 700.
ENOUGH = 19


@pytest.fixture
def summaries(duckdb_shop: Shop) -> Summaries:
    """One engine: the two give the same parameters, as other tests say."""
    duckdb_shop.write()
    return Summaries(duckdb_shop)


@pytest.mark.parametrize("model", TRUTH)
def test_known_parameters_are_within_three_standard_errors(
    summaries: Summaries, model: str
) -> None:
    parts = []
    for seed in range(SEEDS):
        random = np.random.default_rng([seed, 19])
        # Whole days, in weeks: what grouping equal rows has something to gain from.
        T = random.integers(60, 730, 3000) / 7
        part = drawn(random, model, TRUTH[model], ORDER_VALUE, T)
        parts.append(part.assign(cohort=f"seed {seed}"))
    summaries.load(pd.concat(parts, ignore_index=True))
    _, outputs = summaries.fit(model=model, group_by=["cohort"], horizon=52, sample_rows=0)

    for row in outputs["fit"]:
        assert row["status"] == "converged", row
        assert row["evaluations"] <= MOST_EVALUATIONS[row["model"]], row
    for name, truth in ((model, TRUTH[model]), ("gamma_gamma", ORDER_VALUE)):
        found = by_group(outputs["parameters"], name)
        assert len(found) == SEEDS
        for parameter, true in zip(theory.PARAMETERS[name], truth, strict=True):
            away = [
                (found[group][parameter][0] - true) / found[group][parameter][1] for group in found
            ]
            within = sum(abs(each) < 3 for each in away)
            assert within >= ENOUGH, (name, parameter, sorted(away))
            # And the errors are no larger than the scatter they describe.
            assert 0.5 < np.std(away) < 1.6, (name, parameter, sorted(away))


@pytest.mark.parametrize("model", TRUTH)
def test_a_start_on_a_sample_leaves_four_passes_to_the_same_maximum(
    summaries: Summaries, model: str
) -> None:
    random = np.random.default_rng([7, 4])
    T = random.integers(60, 730, 60_000) / 7
    part = drawn(random, model, TRUTH[model], ORDER_VALUE, T)
    summaries.load(part.assign(cohort="all"))
    _, plain = summaries.fit(model=model, horizon=52, sample_rows=0)
    _, sampled = summaries.fit(model=model, horizon=52, sample_rows=5000)

    for row in sampled["fit"]:
        assert row["status"] == "converged", row
        assert row["evaluations"] <= 4, row
    at_moments, at_sample = (
        by_group(each["parameters"], model)["all"] for each in (plain, sampled)
    )
    for name, (estimate, _) in at_moments.items():
        assert at_sample[name][0] == pytest.approx(estimate, rel=1e-6), name


@pytest.mark.parametrize(("model", "count"), [("bg_nbd", 10), ("mbg_nbd", 10), ("pareto_nbd", 3)])
def test_random_data_sets_against_scipy(summaries: Summaries, model: str, count: int) -> None:
    """No failure, and no log-likelihood more than 0.05 below what scipy finds from two starts.

    bench/clv_random.py does the same with 150 sets and lifetimes.
    """
    sets = [each.iloc[:1000] for each in random_sets(model, count)]
    parts = [each.assign(cohort=f"set {number}") for number, each in enumerate(sets)]
    summaries.load(pd.concat(parts, ignore_index=True))
    _, outputs = summaries.fit(model=model, group_by=["cohort"], horizon=52)
    fits = {
        row["group_key"]: row
        for row in outputs["fit"]
        if (row["model"], row["fit"]) == (model, "full")
    }
    assert len(fits) == count
    for number, part in enumerate(sets):
        row = fits[f"set {number}"]
        assert row["status"] in ("converged", "boundary"), row
        arrays = [part[name].to_numpy(float) for name in ("frequency", "recency", "age")]

        def total(theta: Any, arrays: Any = arrays) -> float:
            return float(theory.LOG_LIKELIHOOD[model](theta, *arrays).sum())

        mean = max(float(arrays[0].mean()), 0.01)
        starts = [
            (0.5, 0.5 * arrays[2].mean() / mean, 0.5, 2.0),
            (1.5, 1.5 * arrays[2].mean() / mean, 2.0, 20.0),
        ]
        _, best = theory.best_fit(total, starts)
        assert row["log_likelihood"] > best - 0.05, (row, best)
