"""Score with parameters that are there already, or without any."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from seg_sql.algorithms import Fit, Task
from seg_sql.algorithms.clv_options import CLVOptions
from seg_sql.algorithms.clv_prepare import DAYS, FULL, Customers, customers_of
from seg_sql.algorithms.clv_scores import (
    kept_columns,
    model_sql,
    scored_sql,
    simple_sql,
    spent_row,
)
from seg_sql.algorithms.output_tables import output_tables
from seg_sql.errors import ModelError

if TYPE_CHECKING:
    from seg_sql.step import Steps


def horizon_end(customers: Customers, task: Task) -> str | None:
    """Return the last day of the horizon, or None where no day is known."""
    end = customers.observed.get("observation_end")
    if end is None:
        if task.as_of is None:
            return None
        end = datetime.date.fromisoformat(task.as_of) - datetime.timedelta(days=1)
    days = round(task.options.horizon * DAYS[customers.time_unit])
    return str(end + datetime.timedelta(days=days))


def exclusions(
    step: Steps, customers: Customers, others: Mapping[str, int], *, taken: int | None = None
) -> list[list[Any]]:
    """Return the rows of the output `exclusions`: customers without a value, and further notes.

    Args:
        step: Runs the statement.
        customers: The relation of the fit.
        others: How many customers each further reason has.
        taken: How many customers take part, where that is known: where all do, nobody is sought.
    """
    found = dict(others)
    if taken != int(customers.observed["customers"]):
        rows = step.rows(
            "exclusions",
            relation=customers.relation,
            keys=customers.keys,
            condition=customers.condition(step, FULL),
        )
        found = {row["reason"]: int(row["row_count"]) for row in rows} | found
    return [[reason, count] for reason, count in sorted(found.items()) if count]


def without_fit(step: Steps, relation: str, task: Task) -> Fit:
    """Value customers by what is known of them alone, without a fit."""
    customers = customers_of(step, relation, task)
    model = step.table(_simple_model(step, customers, task, task.as_of), work=False)
    rows = {"exclusions": exclusions(step, customers, {})}
    return Fit(
        outputs={"": model, **output_tables(step, rows)},
        status=f"{task.options.method.upper()}, no fit",
        parameters={"method": task.options.method},
    )


def _simple_model(step: Steps, customers: Customers, task: Task, fitted_as_of: str | None) -> str:
    options: CLVOptions = task.options
    kept = kept_columns(step, customers)
    select = simple_sql(step, customers, options.method, margin=options.margin, kept=kept)
    return model_sql(
        step,
        [f"(\n{select}\n)"],
        customers,
        {part.id: options.method for part in customers.of(FULL)},
        as_of=task.as_of,
        horizon_end=horizon_end(customers, task),
        fitted_as_of=fitted_as_of,
    )


def scored_again(step: Steps, relation: str, task: Task) -> Fit:
    """Score today's customers with the published parameters, which stay as they are."""
    outputs = {"": step.table(apply(step, task.previous, relation, task), work=False)}
    for name, published in task.previous.items():
        if name not in ("", "exclusions"):
            select = step.sql("columns", relation=published)
            outputs[name] = step.table(select, work=False)
    customers = customers_of(step, relation, task)
    known = {row["group_key"] for row in _stored(step, task.previous)}
    strangers = [part.group_key for part in customers.of(FULL) if part.group_key not in known]
    rows = {"exclusions": exclusions(step, customers, {})}
    made = output_tables(step, rows)
    outputs = {**made, **outputs}
    step.drop(*(table for name, table in made.items() if outputs[name] != table))
    warnings = [
        f"the group '{group}' is not in the fit that is kept, and its customers have no value: fit"
        " anew with --full-refresh"
        for group in strangers
    ]
    return Fit(outputs=outputs, status="SCORED with the last fit", warnings=warnings)


def _stored(step: Steps, outputs: Mapping[str, str]) -> list[dict[str, Any]]:
    return step.rows("parameters", published=outputs["parameters"])


def apply(step: Steps, outputs: Mapping[str, str], relation: str, task: Task) -> str:
    """Return one plain SELECT that values customers with published parameters.

    Args:
        step: Renders it; nothing is written.
        outputs: The relations of a fit: parameters, fit for the choice of `auto`, '' for its day.
        relation: Key, frequency, recency, age, monetary_value, and the group columns if any.
        task: The key and the options; as_of is today's.
    """
    options: CLVOptions = task.options
    # It may have an alias of its own.
    relation = f"(\n{step.sql('columns', relation=relation)}\n)"
    fitted_as_of = None
    if "" in outputs:
        day = step.row("fitted_as_of", clusters=outputs[""])["fitted_as_of"]
        fitted_as_of = None if day is None else str(day)
    if options.method != "model":
        return _simple_model(step, customers_of(step, relation, task), task, fitted_as_of)
    stored: dict[str, dict[str, dict[str, float]]] = {}
    for row in _stored(step, outputs):
        by_model = stored.setdefault(row["group_key"], {}).setdefault(row["model"], {})
        by_model[row["parameter"]] = float(row["estimate"])
    chosen = {group: options.model for group in stored}
    if "fit" in outputs:
        rows = step.rows("chosen", fits=outputs["fit"])
        chosen |= {row["group_key"]: row["model"] for row in rows}
    groups = [group for group in sorted(stored) if chosen[group] in stored[group]]
    if not groups:
        raise ModelError(f"{task.model} has no fit to score with.", hint="Build it first.")
    customers = customers_of(step, relation, task, groups=groups)
    models = {part.id: chosen[part.group_key] for part in customers.of(FULL)}
    kept = kept_columns(step, customers)
    scored = []
    for name in dict.fromkeys(models.values()):
        of_model = {
            part.id: stored[part.group_key]
            for part in customers.of(FULL)
            if models[part.id] == name
        }
        select = scored_sql(
            step,
            customers,
            FULL,
            name,
            {id_: by_model[name] for id_, by_model in of_model.items()},
            spent={
                id_: spent_row(id_, by_model.get("gamma_gamma"))
                for id_, by_model in of_model.items()
            },
            horizon=options.horizon,
            discount_rate=options.discount_rate,
            margin=options.margin,
            kept=kept,
        )
        scored.append(f"(\n{select}\n)")
    return model_sql(
        step,
        scored,
        customers,
        models,
        as_of=task.as_of,
        horizon_end=horizon_end(customers, task),
        fitted_as_of=fitted_as_of,
    )
