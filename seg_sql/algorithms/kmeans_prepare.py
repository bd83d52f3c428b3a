"""From a relation to features: checks, filling, winsorising and scaling."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from seg_sql.algorithms.kmeans_features import Feature, Prepared, points_sql
from seg_sql.algorithms.kmeans_groups import CANDIDATE, Source
from seg_sql.algorithms.kmeans_options import KMeansOptions
from seg_sql.algorithms.kmeans_profile import (
    CannotCluster,
    Profile,
    checked,
    constant_feature,
    constant_features,
    where_of,
)

if TYPE_CHECKING:
    from seg_sql.engines import Column
    from seg_sql.step import Steps

# Where the mean is so many variances off, squared, the mean of the squares less it has too few
# digits, and the spread is measured once more around the mean.
FAR_OFF = 100.0

_WHOLE = {"tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger"}


Group = TypeVar("Group", Profile, Prepared)


def row_lot(step: Steps, columns: Sequence[Column], key: Sequence[str], seed: int) -> str:
    """Return the expression of a row's lot."""
    types = {column.name: column.type.lower() for column in columns}
    quoted = [step.engine.quote(name) for name in key]
    whole = len(key) == 1 and types[key[0]] in _WHOLE
    return step.sql("row_lot", columns=quoted, seed=seed, whole=whole)


def prepare(
    step: Steps,
    source: Source,
    profiles: Sequence[Profile],
    *,
    columns: Sequence[Column],
    key: Sequence[str],
    options: KMeansOptions,
    failed: dict[str, CannotCluster],
) -> list[Prepared]:
    """Settle which rows of some groups take part and how features are scaled.

    Args:
        step: Runs the statements.
        source: Their rows.
        profiles: What they are like; the same features are left out of each.
        columns: Those of the relation.
        key: The columns that identify a row.
        options: Those of the fit.
        failed: Takes the groups that cannot be clustered.

    Raises:
        ModelError: What the features are, no clustering can be made of.
    """
    quote = step.engine.quote
    weight = quote(options.weights) if options.weights else None
    constant = constant_features(profiles[0], options)
    names = [name for name in profiles[0].known if name not in constant]
    profiles = _possible(failed, profiles, partial(checked, names=names, model=step.model))
    if not profiles:
        return []
    features = [
        Feature(
            name,
            options.of("transform", name),
            nonnegative=all(profile.lowest[name] >= 0 for profile in profiles),
        )
        for name in names
    ]
    filled = _filled(step, source, profiles, features, options)
    reasons = _reasons(profiles, key, filled[0], step, weight)
    excluded: list[dict[str, int]] = [{} for _ in profiles]
    if reasons:
        groups = [profile.group_key for profile in profiles]
        _, relation, by = source.beside(step, groups, [{}] * len(groups))
        for row in step.rows("exclusions", relation=relation, reasons=reasons, by=by):
            excluded[row.get(CANDIDATE, 0)][row["reason"]] = int(row["row_count"])
    prepared = [
        Prepared(
            relation=source.relation,
            group_key=profile.group_key,
            features=tuple(own),
            conditions=tuple(reason["kept"] for reason in reasons),
            weight=f"cast({weight} as {step.sql('double')})" if weight else None,
            key=tuple(key),
            lot=row_lot(step, columns, key, options.seed),
            rows=profile.rows - sum(left_out.values()),
            total=float(profile.rows - sum(left_out.values())),
            excluded=left_out,
            constant=constant,
        )
        for profile, own, left_out in zip(profiles, filled, excluded, strict=True)
    ]
    prepared = _possible(failed, prepared, partial(_complete, model=step.model))
    known = {profile.group_key: profile for profile in profiles}
    return _measured(step, source, prepared, known, options, failed) if prepared else []


def _possible(
    failed: dict[str, CannotCluster], groups: Iterable[Group], check: Callable[[Group], Group]
) -> list[Group]:
    """Return the groups as they are after a step, without those that it refuses."""
    found = []
    for group in groups:
        try:
            found.append(check(group))
        except CannotCluster as error:
            failed[group.group_key] = error
    return found


def _complete(prepared: Prepared, *, model: str) -> Prepared:
    if prepared.rows < 1:
        raise CannotCluster(
            f"{model}: no row has all its features{where_of(prepared.group_key)}.",
            reason="group without a complete row",
        )
    return prepared


def _filled(
    step: Steps,
    source: Source,
    profiles: Sequence[Profile],
    features: Sequence[Feature],
    options: KMeansOptions,
) -> list[list[Feature]]:
    """Return the features of each group with their fill values and bounds, in their own units."""
    missing = {feature.name: options.of("missing", feature.name) for feature in features}
    zeros = [
        replace(feature, fill_value=0.0) if missing[feature.name] == "zero" else feature
        for feature in features
    ]
    if not options.winsorize and not {"mean", "median"} & set(missing.values()):
        return [zeros] * len(profiles)
    low, high = options.winsorize or (0.0, 1.0)
    groups = [profile.group_key for profile in profiles]
    _, relation, by = source.beside(step, groups, [{}] * len(groups))
    found = step.rows(
        "quantiles",
        relation=relation,
        columns=[step.engine.quote(feature.name) for feature in features],
        quantiles=[low, 0.5, high],
        by=by,
    )
    by_group = {row.get(CANDIDATE, 0): row for row in found}
    filled = []
    for number in range(len(profiles)):
        row, own = by_group[number], []
        for place, feature in enumerate(zeros):
            fill = {"mean": f"mean_{place}", "median": f"quantile_1_{place}"}
            if column := fill.get(missing[feature.name]):
                feature = replace(feature, fill_value=_digits(row[column]))
            if options.winsorize:
                feature = replace(
                    feature,
                    lower_bound=_digits(row[f"quantile_0_{place}"]),
                    upper_bound=_digits(row[f"quantile_2_{place}"]),
                )
            own.append(feature)
        filled.append(own)
    return filled


def _reasons(
    profiles: Sequence[Profile],
    key: Sequence[str],
    features: Sequence[Feature],
    step: Steps,
    weight: str | None,
) -> list[dict[str, str]]:
    """Return why rows are left out, as conditions in SQL, as far as there are such rows."""
    incomplete = [
        name for name in key if any(each.known_keys[name] < each.rows for each in profiles)
    ]
    incomplete += [
        feature.name
        for feature in features
        if feature.fill_value is None
        and any(each.known[feature.name] < each.rows for each in profiles)
    ]
    reasons = [
        {
            "text": step.engine.literal(f"no {name}"),
            "condition": f"{step.engine.quote(name)} is null",
            "kept": f"{step.engine.quote(name)} is not null",
        }
        for name in incomplete
    ]
    if weight is not None:
        reasons.append(
            {
                "text": step.engine.literal("no weight"),
                "condition": f"coalesce({weight}, 0) = 0",
                "kept": f"{weight} > 0",
            }
        )
    return reasons


def _measured(
    step: Steps,
    source: Source,
    prepared: Sequence[Prepared],
    profiles: Mapping[str, Profile],
    options: KMeansOptions,
    failed: dict[str, CannotCluster],
) -> list[Prepared]:
    """Return features scaled by what the rows that take part are like, after filling."""
    # Of the values of a feature the one nearest to 0: seldom far from the mean for the spread.
    offsets: dict[str, list[float]] = {}
    whole = {}
    for group in prepared:
        seen = profiles[group.group_key]
        offsets[group.group_key] = [
            each.scaled(min(max(0.0, seen.lowest[each.name]), seen.highest[each.name]))
            for each in group.features
        ]
        whole[group.group_key] = not options.winsorize and all(
            count == group.rows
            for count in (seen.rows, *(seen.known[each.name] for each in group.features))
        )
    spreads: dict[str, dict[str, float]] = {}
    asked = list(prepared)
    for _ in range(2):
        found = _spreads(step, source, asked, offsets, options, extremes=not all(whole.values()))
        spreads |= found
        asked = [
            group for group in asked if _placed(found[group.group_key], offsets[group.group_key])
        ]
        if not asked:
            break
    scale = partial(_scaled, spreads=spreads, whole=whole, options=options, model=step.model)
    return _possible(failed, prepared, scale)


def _spreads(
    step: Steps,
    source: Source,
    asked: Sequence[Prepared],
    offsets: Mapping[str, Sequence[float]],
    options: KMeansOptions,
    *,
    extremes: bool,
) -> dict[str, dict[str, float]]:
    """Ask how far the features of each group spread from its offsets."""
    one, literal = asked[0], step.engine.literal
    groups = [group.group_key for group in asked]
    context, relation, columns = source.beside(
        step,
        groups,
        [
            {
                "features": [feature.context(step) for feature in group.features],
                "offsets": [literal(offset) for offset in offsets[group.group_key]],
            }
            for group in asked
        ],
    )
    scalings = {options.of("scaling", each.name) for each in one.features}
    points = points_sql(
        step,
        relation,
        context["features"],
        conditions=one.conditions,
        scaled=False,
        kept=columns,
        weight=one.weight,
    )
    look = partial(
        step.rows,
        "spread",
        points=f"{points} as points",
        offsets=context["offsets"],
        weighted=one.weight is not None,
        extremes="minmax" in scalings or extremes,
        robust="robust" in scalings,
        by=columns[:1],
    )
    # A quantile holds all values.
    found = look() if "robust" in scalings or source.by else one.sparingly(step, look)
    return {
        groups[row.get(CANDIDATE, 0)]: {key: float(value) for key, value in row.items()}
        for row in found
    }


def _placed(spread: dict[str, float], offsets: list[float]) -> bool:
    """Set down means and deviations, and the means as offsets; return whether one was far off."""
    total, far = spread["weight"], False
    for place in range(len(offsets)):
        moved = spread[f"moved_{place}"] / total
        variance = max(spread[f"squared_{place}"] / total - moved * moved, 0.0)
        far = far or moved * moved > FAR_OFF * variance
        offsets[place] += moved
        spread[f"mean_{place}"] = offsets[place]
        spread[f"deviation_{place}"] = math.sqrt(variance)
    return far


def _scaled(
    prepared: Prepared,
    *,
    spreads: Mapping[str, Mapping[str, float]],
    whole: Mapping[str, bool],
    options: KMeansOptions,
    model: str,
) -> Prepared:
    spread, where = spreads[prepared.group_key], where_of(prepared.group_key)
    scaled = []
    for place, feature in enumerate(prepared.features):
        if (
            not whole[prepared.group_key]
            and spread[f"lowest_{place}"] == spread[f"highest_{place}"]
        ):
            raise constant_feature(model, feature.name, where)
        mean, deviation = spread[f"mean_{place}"], spread[f"deviation_{place}"]
        scaling = options.of("scaling", feature.name)
        center, scale = mean, deviation
        if scaling == "minmax":
            center = spread[f"lowest_{place}"]
            scale = spread[f"highest_{place}"] - center
        elif scaling == "robust":
            center = spread[f"middle_{place}"]
            scale = spread[f"upper_{place}"] - spread[f"lower_{place}"]
            if scale <= 0:
                raise CannotCluster(
                    f"{model}: half of '{feature.name}' is one value{where}, so that its"
                    " interquartile range is 0.",
                    reason=f"group of mostly one {feature.name}",
                    hint=f"Take another scaling for it, as in scaling: {{{feature.name}: zscore}}.",
                )
        elif scaling == "none":
            scale = 1.0
        if not deviation > 0 or not scale > 0:
            raise constant_feature(model, feature.name, where)
        scaled.append(
            replace(
                feature,
                center=_digits(center),
                scale=_digits(scale),
                mean=mean,
                deviation=deviation,
            )
        )
    return replace(prepared, features=tuple(scaled), total=spread["weight"])


def _digits(value: float) -> float:
    """Round to 12 significant digits, which two engines agree on."""
    return float(f"{value:.12g}")
