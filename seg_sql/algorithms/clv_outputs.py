"""The published tables of a fit beside the customers: parameters, fit, holdout, metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seg_sql.algorithms.clv_climb import Fitted
from seg_sql.algorithms.clv_prepare import Part


def fit_rows(
    fitted: Sequence[Fitted], models: Mapping[str, str], time_unit: str
) -> dict[str, list[list[Any]]]:
    """Return the rows of the outputs `parameters` and `fit`; `models` is the choice by group."""
    parameters, fits = [], []
    for each in sorted(fitted, key=lambda one: (one.part.id, one.model.name)):
        at = [each.part.group_key, each.model.name, each.part.part]
        optimum = each.optimum
        failed = optimum.status == "failed"
        errors = dict(zip(each.model.parameters, optimum.std_errors, strict=True))
        if not failed:
            parameters += [
                [*at, name, value, errors.get(name)] for name, value in each.parameters.items()
            ]
        chosen = each.model.name in ("gamma_gamma", models.get(each.part.group_key))
        fits.append(
            [
                *at,
                optimum.status,
                chosen,
                each.customers,
                each.distinct_rows,
                None if failed else float(optimum.value),
                optimum.iterations,
                optimum.evaluations,
                time_unit,
            ]
        )
    return {"parameters": parameters, "fit": fits}


def holdout_rows(
    parts: Mapping[int, Part], holdout: Mapping[str, Sequence[Mapping[str, Any]]]
) -> list[list[Any]]:
    """Return the rows of the output `holdout`, from those of each model of buying."""
    return [
        [parts[row["fit"]].group_key, model, *list(row.values())[1:]]
        for model, rows in holdout.items()
        for row in rows
    ]


def metric_rows(
    parts: Mapping[int, Part], metrics: Mapping[str, Sequence[Mapping[str, Any]]]
) -> list[list[Any]]:
    """Return the rows of the output `metrics`, from those of each model of buying."""
    found: list[list[Any]] = []
    for model, rows in metrics.items():
        for row in rows:
            at = [parts[row["fit"]].group_key, model]
            found += [
                [*at, name, float(row[name]), float(row[f"baseline_{name}"])]
                for name in ("mae", "rmse", "bias")
            ]
            share = "top_decile_revenue_share"
            found.append([*at, share, top_share(row, ""), top_share(row, "baseline_")])
    return found


def top_share(row: Mapping[str, Any], whose: str) -> float | None:
    """Return the share of the holdout's value that the predicted best tenth brought.

    Of customers who tie at the edge each counts in part.

    >>> tied = {"customers": 20, "revenue": 100.0, "above": 1, "near": 5,
    ...         "revenue_above": 40.0, "revenue_near": 60.0}
    >>> top_share(tied, "")
    0.45
    """
    revenue = float(row["revenue"] or 0)
    if revenue <= 0:
        return None
    above, near = int(row[f"{whose}above"]), int(row[f"{whose}near"])
    sure, all_ = float(row[f"{whose}revenue_above"]), float(row[f"{whose}revenue_near"])
    wanted = row["customers"] / 10 - above
    drawn = 0.0 if near <= above else (all_ - sure) * wanted / (near - above)
    return (sure + drawn) / revenue
