"""Assign rows to published clusters, which stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from seg_sql.algorithms import Fit, Task
from seg_sql.algorithms.kmeans_options import KMeansOptions
from seg_sql.algorithms.kmeans_outputs import Part, assigned_sql, clusters_sql, keyed_points_sql
from seg_sql.algorithms.kmeans_profile import LARGEST, feature_names
from seg_sql.algorithms.kmeans_refit import stored, stored_fit
from seg_sql.algorithms.output_tables import output_table
from seg_sql.errors import ModelError

if TYPE_CHECKING:
    from seg_sql.step import Steps


def scored(step: Steps, relation: str, task: Task) -> Fit:
    """Assign today's rows to the published clusters; count those that cannot be assigned."""
    warnings = _other_features(step, relation, task)
    select, reasons = _scoring(step, task.previous, relation, task)
    outputs = {"": step.table(select, work=False)}
    for name, published in task.previous.items():
        if name not in ("", "exclusions"):
            select = step.sql("columns", relation=published)
            outputs[name] = step.table(select, work=False)
    found = step.rows("exclusions", relation=relation, reasons=reasons, by=[])
    excluded = [[row["reason"], int(row["row_count"])] for row in found]
    outputs["exclusions"] = output_table(step, "exclusions", excluded)
    return Fit(outputs=outputs, status="SCORED with the last fit", warnings=warnings)


def _other_features(step: Steps, relation: str, task: Task) -> list[str]:
    """Tell of features that the fit does not know.

    Raises:
        ModelError: The rows lack a feature of the fit.
    """
    options: KMeansOptions = task.options
    columns = step.engine.describe(step.sql("columns", relation=relation))
    wanted = set(feature_names(columns, task.key, options, task.model))
    fitted = {row["feature"] for row in stored(step, task.previous)}
    anew = f"`seg-sql build -s +{task.model} --full-refresh`"
    if missing := sorted(fitted - {column.name for column in columns}):
        raise ModelError(
            f"The fit that is kept knows the feature {missing[0]}, and the rows of today do not.",
            hint=f"Fit anew: {anew}",
        )
    # A feature that was the same in every row was dropped from the fit.
    new = set() if options.constant == "drop" else wanted - fitted
    said = []
    if other := sorted(new | (fitted - wanted)):
        said.append(
            f"the fit that is kept has other features than are asked for now ({', '.join(other)}):"
            f" fit anew with {anew}"
        )
    return said


def apply(step: Steps, outputs: Mapping[str, str], relation: str, task: Task) -> str:
    """Return one plain SELECT that assigns the rows of a relation to published clusters.

    Args:
        step: Renders it; nothing is written.
        outputs: The relations of a fit: features, centroids, profile, and '' for its day.
        relation: What to score: the key, the features, and the group columns if there are any.
        task: The key and the options; as_of is today's.
    """
    return _scoring(step, outputs, relation, task)[0]


def _scoring(
    step: Steps, outputs: Mapping[str, str], relation: str, task: Task
) -> tuple[str, list[dict[str, str]]]:
    """Return the SELECT, and the reasons for which it leaves rows out."""
    options: KMeansOptions = task.options
    quote, literal = step.engine.quote, step.engine.literal
    clusterings, fitted_as_of = stored_fit(step, outputs)
    if not clusterings:
        raise ModelError(f"{task.model} has no fit to score with.", hint="Build it first.")
    reasons = [_reason(step, f"no {name}", f"{quote(name)} is not null") for name in task.key]
    # What is filled, and with what, differs by group; whether it is, by feature alone.
    features = {each.name: each for clustering in clusterings for each in clustering.features}
    for feature in features.values():
        column = quote(feature.name)
        if feature.fill_value is None:
            reasons.append(_reason(step, f"no {feature.name}", f"{column} is not null"))
        finite = f"abs({column}) < {literal(LARGEST)}"
        kept = finite if feature.fill_value is None else f"({column} is null or {finite})"
        reasons.append(_reason(step, f"{feature.name} is no finite number", kept))
    parts = []
    group = ""
    if options.group_by:
        group = step.sql("group_key", columns=[quote(name) for name in options.group_by])
    for each in clusterings:
        conditions = [reason["kept"] for reason in reasons]
        conditions += [f"{group} = {literal(each.group_key)}"] if group else []
        contexts = [feature.context(step, exact=True) for feature in each.features]
        points = keyed_points_sql(step, relation, contexts, conditions, task.key)
        parts.append(Part(points, clusters_sql(step, each)))
    if group:
        known = ", ".join(literal(each.group_key) for each in clusterings)
        reasons.insert(0, _reason(step, "group not in the fit", f"{group} in ({known})"))
    select = assigned_sql(step, parts, task.key, as_of=task.as_of, fitted_as_of=fitted_as_of)
    return select, reasons


def _reason(step: Steps, text: str, kept: str) -> dict[str, str]:
    return {
        "text": step.engine.literal(text),
        "condition": f"not coalesce({kept}, false)",
        "kept": kept,
    }
