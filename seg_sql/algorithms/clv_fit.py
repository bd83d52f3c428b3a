"""Customer lifetime value inside the database; every statement is in sql/algorithms/clv/.

A model of buying (how often, and until when) and one of value (how much an order) are fitted by
maximum likelihood, to all days and to those up to the calibration end. The likelihoods, with
gradients and Hessians, are sums in SQL over customers who are equal, counted once: only parameters
and these sums cross. What was expected of the days after the calibration end tells how good it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seg_sql.algorithms import Fit, Task
from seg_sql.algorithms import clv_checks as checks
from seg_sql.algorithms.clv_climb import Fitted, fit_buying, fit_values
from seg_sql.algorithms.clv_models import BUYING
from seg_sql.algorithms.clv_options import CLVOptions
from seg_sql.algorithms.clv_outputs import fit_rows, holdout_rows, metric_rows
from seg_sql.algorithms.clv_prepare import (
    CALIBRATED,
    FULL,
    PREFIX,
    Counted,
    Customers,
    Part,
    count,
    customers_of,
    sample,
)
from seg_sql.algorithms.clv_scored import exclusions, horizon_end, scored_again, without_fit
from seg_sql.algorithms.clv_scores import (
    constant_columns,
    kept_columns,
    model_sql,
    scored_sql,
    spent_row,
)
from seg_sql.algorithms.output_tables import output_tables
from seg_sql.errors import ModelError
from seg_sql.events import Said

if TYPE_CHECKING:
    from seg_sql.step import Steps


@dataclass(frozen=True)
class Values:
    """Gamma-Gamma of every part, and what it left out.

    Attributes:
        fitted: The fits.
        means: The mean of the repeat customers' means, by the number of the fit.
        notes: Lines for the exclusions.
        warnings: What a person should know.
    """

    fitted: Mapping[int, Fitted]
    means: Mapping[int, float]
    notes: Mapping[str, int]
    warnings: Sequence[str]

    def spent(self, id_: int) -> dict[str, Any]:
        """Return the numbers that the expected value of an order is made of."""
        value = self.fitted.get(id_)
        known = value is not None and value.optimum.status != "failed"
        parameters = value.parameters if value is not None and known else None
        return spent_row(id_, parameters, mean=self.means.get(id_))


@dataclass
class Holdout:
    """What the calibration fits expected, by model of buying."""

    bins: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    metrics: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def rmse(self, model: str, id_: int) -> float | None:
        """Return the error of a model in a group, or None where it has none."""
        found = (row["rmse"] for row in self.metrics.get(model, ()) if row["fit"] == id_)
        return next((float(each) for each in found), None)


def fit(step: Steps, relation: str, task: Task) -> Fit:
    """Fit the models of buying and of value; leave a work table for each output.

    Raises:
        ModelError: The rows allow no fit; says which and why.
    """
    options: CLVOptions = task.options
    made_before = len(step.made)
    if task.keep_fit and "parameters" in task.previous:
        found = scored_again(step, relation, task)
    elif options.method != "model":
        found = without_fit(step, relation, task)
    else:
        found = _fitted(step, relation, task)
    scratch = [name for name in step.made[made_before:] if name not in found.outputs.values()]
    step.drop(*scratch)
    return found


def _fitted(step: Steps, relation: str, task: Task) -> Fit:
    options: CLVOptions = task.options
    customers = customers_of(step, relation, task)
    counted = count(step, customers)
    parts, warnings, excluded = _with_repeats(customers, counted, task)
    values = _values(step, customers, parts, counted, options)
    sampled = sample(step, counted, options.sample_rows)
    holdout = Holdout()
    buying: dict[str, dict[int, Fitted]] = {}
    name: str
    for name in options.models:
        buying[name] = fit_buying(
            step, BUYING[name], parts, counted, sampled, max_iterations=options.max_iterations
        )
        if customers.calibrated:
            _look_back(step, customers, counted, buying[name], values, holdout)
    chosen = {
        part.group_key: _choice(part, buying, holdout)
        for part in parts.values()
        if part.part == FULL
    }
    full = {part.id: chosen[part.group_key] for part in parts.values() if part.part == FULL}
    failed = [id_ for id_, name in full.items() if buying[name][id_].optimum.status == "failed"]
    for id_ in failed:
        reason = f"the fit of the group '{customers.parts[id_].group_key}' failed"
        excluded[reason] = int(counted.sizes[id_]["customers"])
    kept = kept_columns(step, customers)
    scored = []
    for name in dict.fromkeys(full.values()):
        parameters = {
            id_: buying[name][id_].parameters
            for id_, model in full.items()
            if model == name and id_ not in failed
        }
        if not parameters:
            raise ModelError(checks.fits(list(buying[name].values()))[0])
        select = scored_sql(
            step,
            customers,
            FULL,
            name,
            parameters,
            spent={id_: values.spent(id_) for id_ in parameters},
            horizon=options.horizon,
            discount_rate=options.discount_rate,
            margin=options.margin,
            kept=kept,
            counts=counted.counts,
        )
        scored.append(step.relation(step.table(select)))
    days = {
        "as_of": task.as_of,
        "horizon_end": horizon_end(customers, task),
        "fitted_as_of": task.as_of,
    }
    model = step.table(
        model_sql(
            step,
            scored,
            customers,
            full,
            cuts=list(step.row("cut_points", scored=scored).values()),
            **days,
        ),
        work=False,
        computed=constant_columns(step, customers, full, days),
    )
    fitted = [each for by_id in buying.values() for each in by_id.values()]
    fitted += values.fitted.values()
    of_chosen = [each for each in fitted if each.model.name in ("gamma_gamma", *chosen.values())]
    warnings += checks.fits(of_chosen) + list(values.warnings)
    warnings += checks.discount(options.discount_rate, customers.time_unit)
    warnings += checks.customers(step, customers, holdout=options.holdout)
    _tell(step, customers, model, options)
    rows = {
        **fit_rows(fitted, chosen, customers.time_unit),
        "holdout": holdout_rows(parts, holdout.bins),
        "metrics": metric_rows(parts, holdout.metrics),
        "exclusions": exclusions(
            step,
            customers,
            {**excluded, **values.notes},
            taken=_sum(counted.sizes, [part.id for part in customers.of(FULL)], "customers"),
        ),
    }
    return Fit(
        outputs={"": model, **output_tables(step, rows)},
        status=_status(list(buying[options.models[0]].values())),
        warnings=warnings,
        parameters=_parameters(fitted, chosen),
    )


def _with_repeats(
    customers: Customers, counted: Counted, task: Task
) -> tuple[dict[int, Part], list[str], dict[str, int]]:
    """Return the parts that have a repeat purchase; nothing can be learnt from others."""
    repeaters = {id_: float(row["repeaters"]) for id_, row in counted.sizes.items()}
    if not any(repeaters.get(part.id, 0) for part in customers.of(FULL)):
        seen = sum(float(row["customers"]) for row in counted.sizes.values())
        raise ModelError(
            "No repeat purchases: nobody has bought on two days, and so nothing says who will."
            if seen
            else "No customer has a frequency, recency and age to fit a model to.",
            hint=f"Until then leave the model out: models: {{{task.model}: {{enabled: false}}}}"
            if seen
            else None,
        )
    parts = {id_: part for id_, part in customers.parts.items() if repeaters.get(id_, 0)}
    warnings, excluded = [], {}
    without = [part for part in customers.of(FULL) if part.id not in parts]
    for part in without:
        rows = int(counted.sizes.get(part.id, {}).get("customers", 0))
        excluded[f"no repeat purchases in the group '{part.group_key}'"] = rows
    if without:
        warnings.append(
            f"no repeat purchases among the {sum(excluded.values()):,} customers"
            f"{checks.of(*without)}, who have no value: put small groups together before group_by"
        )
    late = [
        part for part in customers.of(CALIBRATED) if part.id not in parts and part.id - 1 in parts
    ]
    if late:
        warnings.append(
            f"nobody{checks.of(*late)} bought again before the calibration end, so there is no"
            " holdout: set a later calibration_end"
        )
    return parts, warnings, excluded


def _values(
    step: Steps,
    customers: Customers,
    parts: Mapping[int, Part],
    counted: Counted,
    options: CLVOptions,
) -> Values:
    """Fit Gamma-Gamma to the mean values of repeat customers, of each part."""

    def table(caps: Sequence[Mapping[str, Any]]) -> str:
        selects = [customers.select(step, part) for part in PREFIX if customers.of(part)]
        select = step.sql("values", parts=selects, caps=caps)
        return step.relation(step.table(select))

    values = table([])
    caps: list[dict[str, Any]] = []
    notes: dict[str, int] = {}
    if options.value_cap is not None:
        caps = step.rows("caps", values_=values, share=options.value_cap)
        capped = sum(int(row["capped"]) for row in caps if row["fit"] % 2 == 0)
        notes["mean value above value_cap (capped for Gamma-Gamma only)"] = capped
        if caps:
            values = table([{"fit": row["fit"], "cap": float(row["cap"])} for row in caps])
    sizes = {int(row["fit"]): row for row in step.rows("value_sizes", values_=values)}
    full = [part.id for part in customers.of(FULL)]
    without = _sum(counted.sizes, full, "repeaters") - _sum(sizes, full, "customers")
    if without:
        notes["repeat purchases of no value (left out of Gamma-Gamma only)"] = without
    fitted = fit_values(
        step,
        {id_: part for id_, part in parts.items() if id_ in sizes},
        values,
        sizes,
        caps={int(row["fit"]): float(row["cap"]) for row in caps},
        max_iterations=options.max_iterations,
    )
    warnings = checks.values(parts, sizes)
    if any(part.part == FULL and part.id not in sizes for part in parts.values()):
        warnings.append(
            "no repeat purchase has a value above zero, so clv is zero: map amount, or quantity and"
            " unit_price"
        )
    means = {id_: float(row["means"]) / float(row["customers"]) for id_, row in sizes.items()}
    return Values(fitted, means, notes, warnings)


def _sum(sizes: Mapping[int, Mapping[str, Any]], ids: Sequence[int], name: str) -> int:
    return sum(int(sizes[id_][name]) for id_ in ids if id_ in sizes)


def _look_back(
    step: Steps,
    customers: Customers,
    counted: Counted,
    fitted: Mapping[int, Fitted],
    values: Values,
    holdout: Holdout,
) -> None:
    """Set what a calibration fit expected of the holdout beside what came."""
    parts = {
        id_: each
        for id_, each in fitted.items()
        if each.part.part == CALIBRATED and each.optimum.status != "failed"
    }
    if not parts:
        return
    name = next(iter(parts.values())).model.name
    length = float(customers.observed["holdout_length"])
    last = "last_period_frequency"
    baseline = step.sql("baseline", length=length) if last in customers.columns else "0"
    worth = "holdout_value"
    kept = {
        "actual_orders": "summary.holdout_frequency",
        "baseline_orders": baseline,
        "actual_value": f"coalesce(summary.{worth}, 0)" if worth in customers.columns else "0",
    }
    select = scored_sql(
        step,
        customers,
        CALIBRATED,
        name,
        {id_: each.parameters for id_, each in parts.items()},
        spent={id_: values.spent(id_) for id_ in parts},
        horizon=length,
        kept=kept,
        counts=counted.counts,
    )
    scored = step.relation(step.table(select))
    holdout.bins[name] = step.rows("holdout", scored=scored)
    holdout.metrics[name] = step.rows("metrics", scored=scored)


def _choice(part: Part, buying: Mapping[str, Mapping[int, Fitted]], holdout: Holdout) -> str:
    """Return the model of a group: of least error in the holdout, or else the likeliest."""
    usable = {name: fits[part.id] for name, fits in buying.items()}
    good = {name: each for name, each in usable.items() if each.optimum.status != "failed"}
    errors = {name: holdout.rmse(name, part.id + 1) for name in good}
    known = {name: error for name, error in errors.items() if error is not None}
    if known:
        return min(known, key=lambda name: (known[name], -good[name].optimum.value))
    return max(good or usable, key=lambda name: usable[name].optimum.value)


def _tell(step: Steps, customers: Customers, model: str, options: CLVOptions) -> None:
    """Say what is expected in all, beside the last equal period."""
    totals = step.row("totals", model=step.relation(model))
    if totals["expected_orders"] is not None:
        line = checks.expectation(customers, options.horizon, float(totals["expected_orders"]))
        step.log(Said(f"{step.model}: {line}"))


def _status(fitted: Sequence[Fitted]) -> str:
    full = [each for each in fitted if each.part.part == FULL]
    steps = max(each.optimum.iterations for each in full)
    for status, word in (
        ("failed", "FAILED"),
        ("max_iterations", "MAX_ITER"),
        ("boundary", "BOUNDARY"),
    ):
        if any(each.optimum.status == status for each in full):
            return f"{word} in {steps}"
    return f"CONVERGED in {steps}"


def _parameters(fitted: Sequence[Fitted], chosen: Mapping[str, str]) -> dict[str, Any]:
    """Return the parameters of the chosen models, for the record of the run."""
    found: dict[str, Any] = {}
    for each in fitted:
        group = each.part.group_key
        if each.part.part == FULL and each.model.name in ("gamma_gamma", chosen.get(group)):
            end = "" if group == "all" else f".{group}"
            found[f"model{end}"] = chosen[group]
            found |= {f"{name}{end}": value for name, value in each.parameters.items()}
            found[f"log_likelihood.{each.model.name}{end}"] = float(each.optimum.value)
    return found
