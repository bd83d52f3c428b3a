"""Damped Newton on the logarithms of the parameters, for many fits at a time.

A fit is a generator: it yields the parameters it wants evaluated, and is sent the log-likelihood
with its gradient and Hessian. So all fits that still run share one statement a round.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[Any]

# What a last step may still gain in log-likelihood; and below what it is not even taken.
CONVERGED = 1e-8
EXACT = 1e-12
# A last step is taken without a look at where it leads, for a look is a pass over all, where no
# parameter will be off by more than this share of itself: near the maximum each step is of the
# order of the last one's square, and two steps tell how many times that.
SURE = 2e-7
# The standard errors are then those of before the step, which must be as small as this: they change
# by some six times as much where the parameters are hardly known (Pareto/NBD of CDNOW).
SHORT = 2e-4
# A sample's maximum is further than this from that of all rows.
NEAR = 1.0
# Sums come in another order each time: a loss within this share of the sum is noise.
NOISE = 1e-11
LONGEST_STEP = 2.0
# A parameter this many times its scale, or that share of it, stands for infinity or zero.
FAR = 1e3
FARTHEST = 1e6
# So many rounds of next to no gain are a ridge: what is sought lies at its end, at infinity.
CRAWL = 1e-5
PATIENCE = 3


@dataclass(frozen=True)
class Evaluation:
    """The log-likelihood at some parameters, its gradient and Hessian by the parameters."""

    value: float
    gradient: Vector
    hessian: Vector


@dataclass(frozen=True)
class Optimum:
    """Where a fit ended, and how: converged, boundary, max_iterations or failed."""

    theta: Vector
    value: float
    std_errors: list[float | None]
    status: str
    iterations: int
    evaluations: int


Climb = Generator["Vector", "Evaluation | None", Optimum]


def climb_all(
    evaluate: Callable[[Mapping[int, Vector]], Mapping[int, Evaluation | None]],
    climbs: Mapping[int, Climb],
) -> dict[int, Optimum]:
    """Run fits to their end; each call of `evaluate` serves all that still run."""
    wanted = {id_: next(climb) for id_, climb in climbs.items()}
    done: dict[int, Optimum] = {}
    while wanted:
        found = evaluate(wanted)
        following = {}
        for id_ in wanted:
            try:
                following[id_] = climbs[id_].send(found[id_])
            except StopIteration as stop:
                done[id_] = stop.value
        wanted = following
    return done


def climb(start: Vector, scale: Vector, *, max_iterations: int, rough: bool = False) -> Climb:
    """Climb from `start` to the maximum.

    Args:
        start: Positive parameters.
        scale: What is an ordinary size of each, to tell when one runs off to zero or infinity.
        max_iterations: Newton steps after which it stops.
        rough: Whether the neighbourhood of the maximum will do, as on a sample.
    """
    import numpy as np

    theta, evaluations, crawled = start, 1, 0
    before: float | None = None
    here = yield theta
    if here is None:
        return Optimum(theta, float("nan"), [None] * len(theta), "failed", 0, 1)
    for iteration in range(1, max_iterations + 1):
        direction, gain = _newton(theta, here)
        longest = float(np.abs(direction).max())
        left_over = longest * ((longest / before) ** 2 if before else 1.0)
        sure = left_over < SURE and longest < SHORT
        if gain < (NEAR if rough else CONVERGED) or sure:
            ratio = theta / scale
            far = ratio.max() > FAR or ratio.min() < 1 / FAR
            status = "boundary" if far else "converged"
            if sure or rough:
                last = replace(here, value=here.value + gain)
                return _ended(theta, last, status, iteration, evaluations, step=direction)
            if gain > EXACT:
                evaluations += 1
                there = yield theta * np.exp(direction)
                if there is not None and there.value >= here.value - NOISE * abs(here.value):
                    theta, here = theta * np.exp(direction), there
            return _ended(theta, here, status, iteration, evaluations)
        length, slope = 1.0, 2 * gain
        there = None
        while length > 1e-6:
            trial = _within(theta * np.exp(length * direction), scale)
            evaluations += 1
            there = yield trial
            slack = NOISE * abs(here.value)
            if there is not None and there.value >= here.value + 1e-4 * length * slope - slack:
                break
            # The parabola through the value, the slope and the value there has its top here.
            fall = -1.0 if there is None else here.value + length * slope - there.value
            best = 0.1 if fall <= 0 else length * slope / (2 * fall)
            length *= min(max(best, 0.1), 0.5)
            there = None
        if there is None:
            return _ended(theta, here, "boundary", iteration, evaluations)
        before = longest if length == 1 else None
        crawled = crawled + 1 if there.value - here.value < CRAWL else 0
        theta, here = trial, there
        if crawled >= PATIENCE:
            return _ended(theta, here, "boundary", iteration, evaluations)
    return _ended(theta, here, "max_iterations", max_iterations, evaluations)


def _newton(theta: Vector, here: Evaluation) -> tuple[Vector, float]:
    """Return the step in logarithms of the parameters, and the gain that it promises."""
    import numpy as np

    gradient = theta * here.gradient
    values, vectors = np.linalg.eigh(_curvature(theta, here))
    # Uphill in every direction, also where the function is not concave.
    values = np.maximum(np.abs(values), 1e-8 * np.abs(values).max())
    along = vectors.T @ gradient
    direction = vectors @ (along / values)
    longest = float(np.abs(direction).max())
    if longest > LONGEST_STEP:
        direction = direction * (LONGEST_STEP / longest)
    gain = float(gradient @ direction) / 2
    return direction, gain


def _curvature(theta: Vector, here: Evaluation) -> Vector:
    """Return the negative Hessian by the logarithms of the parameters."""
    import numpy as np

    found: Vector = -(np.outer(theta, theta) * here.hessian + np.diag(theta * here.gradient))
    return found


def _within(theta: Vector, scale: Vector) -> Vector:
    import numpy as np

    bounded: Vector = np.clip(theta, scale / FARTHEST, scale * FARTHEST)
    return bounded


def _ended(
    theta: Vector,
    here: Evaluation,
    status: str,
    iterations: int,
    evaluations: int,
    *,
    step: Vector | float = 0.0,
) -> Optimum:
    """Return the end of a fit, a step from theta; at a boundary a standard error means nothing."""
    import numpy as np

    end = theta * np.exp(step)
    errors: list[float | None] = [None] * len(theta)
    if status == "converged":
        try:
            variances = np.diag(np.linalg.inv(_curvature(theta, here)))
            if (variances > 0).all():
                errors = [float(each) for each in end * np.sqrt(variances)]
        except np.linalg.LinAlgError:
            pass
    return Optimum(end, here.value, errors, status, iterations, evaluations)
