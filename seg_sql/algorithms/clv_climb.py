"""Fit the models of buying and of value: all groups, and both periods, in the same statements."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from seg_sql.algorithms.clv_models import (
    NODES_IF_STEEP,
    NODES_TO_FIT,
    NODES_TO_SCORE,
    VALUE,
    ClvModel,
    finite,
    nodes,
)
from seg_sql.algorithms.clv_newton import Climb, Evaluation, Optimum, climb, climb_all
from seg_sql.algorithms.clv_prepare import Counted, Part

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seg_sql.step import Steps

    Vector = NDArray[Any]

# From here on the two lifetimes differ so much that more nodes are needed.
STEEP = 50.0
# So few distinct customers are looked at as quickly as a sample of them.
FEW = 20_000
# Log-likelihoods that differ by less are of the same top.
SAME_TOP = 1e-4
# Fewer repeat customers than this in a sample say too little to start from.
ENOUGH = 100


@dataclass(frozen=True)
class Fitted:
    """A model fitted to a part.

    Attributes:
        part: The group, and all days or the calibration.
        model: The model.
        optimum: Where the fit ended.
        customers: How many customers it is of.
        distinct_rows: How many different ones these are.
        extra: Further numbers that scoring needs, as the cap of the values.
    """

    part: Part
    model: ClvModel
    optimum: Optimum
    customers: int
    distinct_rows: int
    extra: Mapping[str, float]

    @property
    def parameters(self) -> dict[str, float]:
        """Return the fitted parameters by name."""
        values = (float(value) for value in self.optimum.theta)
        return {**dict(zip(self.model.parameters, values, strict=True)), **self.extra}


Evaluate = Callable[[Mapping[int, "Vector"]], Mapping[int, Evaluation | None]]


def rows_of(model: ClvModel, thetas: Mapping[int, Any]) -> list[dict[str, Any]]:
    """Return parameters as the rows that the templates join."""
    return [
        {"fit": id_, **dict(zip(model.parameters, map(float, theta), strict=True))}
        for id_, theta in thetas.items()
    ]


def _evaluator(
    step: Steps, model: ClvModel, sql: Callable[[list[dict[str, Any]]], str]
) -> Evaluate:
    """Return what evaluates parameters of several fits in one statement, and says how it goes."""
    rounds = 0

    def evaluate(thetas: Mapping[int, Vector]) -> dict[int, Evaluation | None]:
        nonlocal rounds
        started = time.perf_counter()
        found: dict[int, Evaluation | None] = dict.fromkeys(thetas)
        for row in step.engine.fetch(sql(rows_of(model, thetas))).dicts():
            id_ = int(row["fit"])
            values = {name: float(value) for name, value in row.items() if value is not None}
            if len(values) == len(row):
                evaluation = model.evaluation(thetas[id_], values)
                found[id_] = evaluation if finite(evaluation) else None
        rounds += 1
        first = found[min(thetas)]
        figures = {"log_likelihood": first.value} if first else {}
        seconds = time.perf_counter() - started
        step.progress(rounds, seconds, stage=model.name, fits=len(thetas), **figures)
        return found

    return evaluate


def buying_sql(
    step: Steps,
    model: ClvModel,
    counted: Counted,
    *,
    cells: Mapping[str, str],
    count: int = NODES_TO_FIT,
) -> Callable[[list[dict[str, Any]]], str]:
    """Return what renders the statement that evaluates a model of buying."""

    def sql(fits: list[dict[str, Any]]) -> str:
        names = ["fit", *model.parameters]
        context = {"fits": fits, "names": names}
        integrals = integrals_sql(step, model, cells, fits, count=count, derivatives=True)
        return step.sql(
            model.template,
            counts=counted.counts,
            tails=counted.tails,
            modified=model.name == "mbg_nbd",
            integrals=integrals,
            **context,
        )

    return sql


def integrals_sql(
    step: Steps,
    model: ClvModel,
    cells: Mapping[str, str],
    fits: Sequence[Mapping[str, Any]],
    *,
    count: int = NODES_TO_SCORE,
    derivatives: bool = False,
) -> dict[str, str]:
    """Return the SELECTs of the integrals of Pareto/NBD, by side, at the cells of each."""
    if not cells:
        return {}
    steep = max((row["beta"] / row["alpha"] for row in fits), default=1.0) > STEEP
    places = nodes(NODES_IF_STEEP if steep else count)
    return {
        side: step.sql(
            "integrals",
            side=side,
            cells=of_side,
            fits=fits,
            names=["fit", *model.parameters],
            nodes=places,
            derivatives=derivatives,
        )
        for side, of_side in cells.items()
    }


def cells_sql(step: Steps, counts: str) -> dict[str, str]:
    """Return the SELECTs of where the two integrals of Pareto/NBD are taken."""
    sides = {"g": "recency", "h": "age"}
    return {side: step.sql("cells", counts=counts, since=since) for side, since in sides.items()}


def fit_buying(
    step: Steps,
    model: ClvModel,
    parts: Mapping[int, Part],
    all_: Counted,
    sampled: Counted | None,
    *,
    max_iterations: int,
) -> dict[int, Fitted]:
    """Fit a model of buying to every part, from moments or from the fit of a sample."""

    def evaluate(of: Counted, count: int = NODES_TO_FIT) -> Evaluate:
        cells = {}
        if model.name == "pareto_nbd":
            selects = cells_sql(step, of.counts)
            cells = {side: step.relation(step.table(each)) for side, each in selects.items()}
        return _evaluator(step, model, buying_sql(step, model, of, cells=cells, count=count))

    starts, others, scales = {}, {}, {}
    for id_ in parts:
        starts[id_], scales[id_] = model.start(all_.sizes[id_])
        others[id_] = model.other_starts(all_.sizes[id_])

    def best(of: Counted, ids: Collection[int], rough: bool) -> dict[int, Optimum]:
        """Climb from the start and, where that may not be the highest top, from the others."""
        look = evaluate(of)

        def climbed(start: Mapping[int, Vector]) -> dict[int, Optimum]:
            climbs = {
                id_: climb(start[id_], scales[id_], max_iterations=max_iterations, rough=rough)
                for id_ in start
            }
            return climb_all(look, climbs)

        found = climbed({id_: starts[id_] for id_ in ids})
        for place in range(max((len(others[id_]) for id_ in ids), default=0)):
            wanted = {
                id_: others[id_][place]
                for id_, each in found.items()
                if each.status != "converged" or (place == 0 and id_ in several)
            }
            for id_, each in climbed(wanted).items():
                if each.status != "failed" and not each.value <= found[id_].value + SAME_TOP:
                    found[id_] = each
        return found

    # MBG/NBD often has two tops; where both can be looked at quickly, they are.
    several = set(parts) if model.name == "mbg_nbd" else set()
    if sampled is not None:
        known = [
            id_
            for id_ in parts
            if float(sampled.sizes.get(id_, {}).get("repeaters", 0)) >= ENOUGH
            and int(all_.sizes[id_]["distinct_rows"]) > FEW
        ]
        for id_, each in best(sampled, known, rough=True).items():
            if each.status == "converged":
                starts[id_] = each.theta
                several.discard(id_)
    optima = best(all_, list(parts), rough=False)
    if model.name == "pareto_nbd":
        optima = _looked_at_closely(evaluate(all_, NODES_TO_SCORE), optima)
    return {
        id_: Fitted(
            part,
            model,
            optima[id_],
            int(all_.sizes[id_]["customers"]),
            int(all_.sizes[id_]["distinct_rows"]),
            {},
        )
        for id_, part in parts.items()
    }


def _looked_at_closely(evaluate: Evaluate, optima: Mapping[int, Optimum]) -> dict[int, Optimum]:
    """Return the same optima with the log-likelihood of a finer quadrature."""
    found = evaluate({id_: each.theta for id_, each in optima.items()})
    return {
        id_: replace(each, value=seen.value, evaluations=each.evaluations + 1)
        if (seen := found[id_]) is not None
        else each
        for id_, each in optima.items()
    }


def fit_values(
    step: Steps,
    parts: Mapping[int, Part],
    values: str,
    sizes: Mapping[int, Mapping[str, Any]],
    *,
    caps: Mapping[int, float],
    max_iterations: int,
) -> dict[int, Fitted]:
    """Fit Gamma-Gamma to every part with customers of known value."""
    frequencies = step.relation(step.table(step.sql("frequencies", values_=values)))

    def sql(fits: list[dict[str, Any]]) -> str:
        return step.sql(
            VALUE.template,
            values_=values,
            frequencies=frequencies,
            fits=fits,
            names=["fit", *VALUE.parameters],
        )

    climbs: dict[int, Climb] = {}
    for id_ in parts:
        start, scale = VALUE.start(sizes[id_])
        climbs[id_] = climb(start, scale, max_iterations=max_iterations)
    optima = climb_all(_evaluator(step, VALUE, sql), climbs)
    fitted = {}
    for id_, part in parts.items():
        size, optimum = sizes[id_], optima[id_]
        optimum = replace(optimum, value=optimum.value - float(size["logarithms"]))
        rows = int(size["customers"])
        extra = {"value_cap": caps[id_]} if id_ in caps else {}
        fitted[id_] = Fitted(part, VALUE, optimum, rows, rows, extra)
    return fitted
