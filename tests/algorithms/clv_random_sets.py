"""Random data sets of customers, drawn from the processes of clv_theory.py."""

from __future__ import annotations

from typing import Any

import clv_theory as theory
import numpy as np
import pandas as pd


def drawn(random: Any, model: str, theta: Any, values: Any, T: Any) -> Any:
    """Draw the summary of as many customers as T has ages."""
    x, t_x = theory.draw(random, model, theta, T)
    m = theory.draw_values(random, values, x)
    return pd.DataFrame({"frequency": x, "recency": t_x, "age": T, "monetary_value": m})


def random_sets(model: str, count: int) -> list[Any]:
    """Draw data sets of 200 to 20,000 customers, r .1 to 4, a .1 to 6, b .5 to 20."""
    sets = []
    for number in range(count):
        random = np.random.default_rng([number, 150])

        def between(low: float, high: float, random: Any = random) -> float:
            return float(np.exp(random.uniform(np.log(low), np.log(high))))

        T = random.integers(7, int(between(60, 1000)), int(between(200, 20000))) / 7
        theta = (between(0.1, 4), between(1, 30), between(0.1, 6), between(0.5, 20))
        if model == "pareto_nbd":
            theta = (*theta[:2], between(0.1, 4), between(1, 60))
        sets.append(drawn(random, model, theta, (6.0, 4.0, 15.0), T))
    return sets
