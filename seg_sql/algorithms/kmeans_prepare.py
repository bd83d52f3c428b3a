"""From a relation to features: checks, filling, winsorising and scaling."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from seg_sql.algorithms.kmeans_features import Feature, Prepared
from seg_sql.algorithms.kmeans_options import KMeansOptions
from seg_sql.errors import ModelError, did_you_mean

if TYPE_CHECKING:
    from seg_sql.engines import Column
    from seg_sql.step import Steps

LARGEST = 1e100
# Where the mean is so many variances off, squared, the mean of the squares less it has too few
# digits, and the spread is measured once more around the mean.
FAR_OFF = 100.0


class CannotCluster(ModelError):
    """The rows, or those of one group, cannot be parted into clusters.

    Attributes:
        reason: In a few words, for the exclusions.
    """

    def __init__(self, message: str, *, reason: str, hint: str | None = None) -> None:
        """Take the sentence, and the words for the exclusions."""
        super().__init__(message, hint=hint)
        self.reason = reason


_WHOLE = {"tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger"}


def feature_names(
    columns: Sequence[Column], key: Sequence[str], options: KMeansOptions, model: str
) -> list[str]:
    """Return the columns to cluster by, in the order of their names, as they are summed up later.

    Raises:
        ModelError: A column that is named is not there or is no number, or none is left.
    """
    kinds = {column.name: column.kind for column in columns}
    weights = [options.weights] if options.weights else []
    for what, names in (
        ("key", key),
        ("feature", options.features or []),
        ("group column", options.group_by),
        ("weights column", weights),
    ):
        for name in names:
            if name not in kinds:
                raise ModelError(
                    f"{model} yields no column '{name}', its {what}.",
                    hint=_missing_hint(name, what, kinds, model),
                )
    for name in (*(options.features or []), *weights):
        if kinds[name] != "number":
            raise ModelError(
                f"'{name}' of {model} is no number but a {kinds[name]}.",
                hint="Turn it into numbers in the model's SELECT, or leave it out of `features`.",
            )
    if options.features is not None:
        return sorted(set(options.features))
    taken = {*key, *options.group_by, *weights}
    found = [column.name for column in columns if column.kind == "number"]
    found = sorted(name for name in found if name not in taken)
    if not found:
        raise ModelError(
            f"{model} yields no numeric column to cluster by.",
            hint="Select the features beside the key, as in: customer_id, frequency, monetary.",
        )
    for option in ("transform", "scaling", "missing"):
        for name in getattr(options, option):
            if name != "*" and name not in found:
                raise ModelError(
                    f"{model}: {option} is given for '{name}', which is not one of the features.",
                    hint=did_you_mean(name, found),
                )
    return found


def _missing_hint(name: str, what: str, known: Iterable[str], model: str) -> str | None:
    """Return what to do about a column that is not there.

    >>> _missing_hint("Country", "group column", ["country"], "mine")
    "Did you mean 'country'?"
    """
    same = [each for each in known if each.lower() == name.lower()]
    if same or what != "group column":
        return did_you_mean(name, same or known)
    return (
        f"Give the model a SELECT with it, as sql/models/{model}.sql; {model} has:"
        f" {', '.join(known)}."
    )


def row_lot(step: Steps, columns: Sequence[Column], key: Sequence[str], seed: int) -> str:
    """Return the expression of a row's lot."""
    types = {column.name: column.type.lower() for column in columns}
    quoted = [step.engine.quote(name) for name in key]
    whole = len(key) == 1 and types[key[0]] in _WHOLE
    return step.sql("row_lot", columns=quoted, seed=seed, whole=whole)


def prepare(
    step: Steps,
    relation: str,
    group_key: str,
    *,
    columns: Sequence[Column],
    key: Sequence[str],
    names: Sequence[str],
    options: KMeansOptions,
) -> Prepared:
    """Look at a relation, and settle which rows take part and how features are scaled.

    Raises:
        ModelError: What the features are, no clustering can be made of.
    """
    quote = step.engine.quote
    weight = quote(options.weights) if options.weights else None
    keys = [quote(name) for name in key]
    features = tuple(Feature(name, options.of("transform", name)) for name in names)
    profile = step.row(
        "profile",
        relation=relation,
        features=[feature.context(step) for feature in features],
        keys=keys,
        weight=weight,
    )
    where = "" if group_key == "all" else f" in the group '{group_key}'"
    rows = int(profile["row_count"])
    constant = [
        name
        for place, name in enumerate(names)
        if profile[f"lowest_{place}"] is not None
        and profile[f"lowest_{place}"] == profile[f"highest_{place}"]
    ]
    if options.constant == "drop" and 0 < len(constant) < len(names):
        names = [name for name in names if name not in constant]
        prepared = prepare(
            step, relation, group_key, columns=columns, key=key, names=names, options=options
        )
        return replace(prepared, constant=tuple(constant))
    _check(profile, names, rows, where, step.model)
    features = tuple(
        replace(feature, nonnegative=profile[f"lowest_{place}"] >= 0)
        for place, feature in enumerate(features)
    )
    if options.winsorize or {options.of("missing", name) for name in names} & {"mean", "median"}:
        features = _filled(step, relation, features, options)
    features = tuple(
        replace(feature, fill_value=0.0)
        if options.of("missing", feature.name) == "zero"
        else feature
        for feature in features
    )
    reasons = _reasons(profile, rows, key, features, step, weight)
    excluded = {}
    if reasons:
        found = step.rows("exclusions", relation=relation, reasons=reasons)
        excluded = {row["reason"]: int(row["row_count"]) for row in found}
    prepared = Prepared(
        relation=relation,
        group_key=group_key,
        features=features,
        conditions=tuple(reason["kept"] for reason in reasons),
        weight=f"cast({weight} as {step.sql('double')})" if weight else None,
        key=tuple(key),
        lot=row_lot(step, columns, key, options.seed),
        rows=rows - sum(excluded.values()),
        total=float(rows - sum(excluded.values())),
        excluded=excluded,
    )
    if prepared.rows < 1:
        raise CannotCluster(
            f"{step.model}: no row has all its features{where}.",
            reason="group without a complete row",
        )
    return _measured(step, prepared, profile, options, where)


def _check(
    profile: Mapping[str, Any], names: Sequence[str], rows: int, where: str, model: str
) -> None:
    if rows == 0:
        raise ModelError(f"{model} has no row to cluster{where}.")
    for place, name in enumerate(names):
        lowest, highest = profile[f"lowest_{place}"], profile[f"highest_{place}"]
        if lowest is None:
            raise CannotCluster(
                f"{model}: every value of '{name}' is missing{where}.",
                reason=f"group without {name}",
            )
        if math.isnan(highest):
            raise ModelError(
                f"{model}: '{name}' has values that are NaN{where}.",
                hint="Make them NULL in the model's SELECT; `missing` says what becomes of them.",
            )
        if math.isinf(highest) or math.isinf(lowest):
            raise ModelError(
                f"{model}: '{name}' has infinite values{where}.",
                hint="Make them NULL in the model's SELECT; `missing` says what becomes of them.",
            )
        if max(-lowest, highest) >= LARGEST:
            raise ModelError(f"{model}: '{name}' has values beyond {LARGEST:g}{where}.")
        if lowest == highest:
            raise _constant(model, name, where)
    for column in ("least_weight", "most_weight"):
        value = profile.get(column)
        if value is not None and (not math.isfinite(value) or value < 0):
            raise ModelError(f"{model}: a weight is {value}{where}; weights are 0 or more.")


def _constant(model: str, name: str, where: str) -> CannotCluster:
    return CannotCluster(
        f"{model}: '{name}' is the same in every row{where}, so it cannot tell clusters apart.",
        reason=f"group of one {name}",
        hint="Leave it out of the features.",
    )


def _filled(
    step: Steps, relation: str, features: Sequence[Feature], options: KMeansOptions
) -> tuple[Feature, ...]:
    """Return features with their fill values and bounds, in their own units."""
    low, high = options.winsorize or (0.0, 1.0)
    columns = [step.engine.quote(feature.name) for feature in features]
    found = step.row("quantiles", relation=relation, columns=columns, quantiles=[low, 0.5, high])
    filled = []
    for place, feature in enumerate(features):
        fill = {"mean": f"mean_{place}", "median": f"quantile_1_{place}"}.get(
            options.of("missing", feature.name)
        )
        feature = replace(feature, fill_value=_digits(found[fill]) if fill else None)
        if options.winsorize:
            feature = replace(
                feature,
                lower_bound=_digits(found[f"quantile_0_{place}"]),
                upper_bound=_digits(found[f"quantile_2_{place}"]),
            )
        filled.append(feature)
    return tuple(filled)


def _reasons(
    profile: Mapping[str, Any],
    rows: int,
    key: Sequence[str],
    features: Sequence[Feature],
    step: Steps,
    weight: str | None,
) -> list[dict[str, str]]:
    """Return why rows are left out, as conditions in SQL, as far as there are such rows."""
    incomplete = [name for place, name in enumerate(key) if profile[f"known_key_{place}"] < rows]
    incomplete += [
        feature.name
        for place, feature in enumerate(features)
        if profile[f"known_{place}"] < rows and feature.fill_value is None
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
    prepared: Prepared,
    profile: Mapping[str, Any],
    options: KMeansOptions,
    where: str,
) -> Prepared:
    """Return features scaled by what the rows that take part are like, after filling."""
    places = range(len(prepared.features))
    scalings = {options.of("scaling", each.name) for each in prepared.features}
    whole = prepared.rows == int(profile["row_count"]) and not options.winsorize
    whole = whole and all(int(profile[f"known_{place}"]) == prepared.rows for place in places)
    # Of the values of a feature the one nearest to 0: seldom far from the mean for the spread.
    offsets = [
        feature.scaled(min(max(0.0, profile[f"lowest_{place}"]), profile[f"highest_{place}"]))
        for place, feature in enumerate(prepared.features)
    ]
    for _ in range(2):
        look = partial(
            step.row,
            "spread",
            points=prepared.points(step, scaled=False) + " as points",
            offsets=[step.engine.literal(offset) for offset in offsets],
            weighted=prepared.weight is not None,
            extremes="minmax" in scalings or not whole,
            robust="robust" in scalings,
        )
        # A quantile holds all values.
        found = look() if "robust" in scalings else prepared.sparingly(step, look)
        spread = {key: float(value) for key, value in found.items()}
        total = spread["weight"]
        far = False
        for place in places:
            if not whole and spread[f"lowest_{place}"] == spread[f"highest_{place}"]:
                raise _constant(step.model, prepared.features[place].name, where)
            moved = spread[f"moved_{place}"] / total
            variance = max(spread[f"squared_{place}"] / total - moved * moved, 0.0)
            far = far or moved * moved > FAR_OFF * variance
            offsets[place] += moved
            spread[f"mean_{place}"] = offsets[place]
            spread[f"deviation_{place}"] = math.sqrt(variance)
        if not far:
            break
    features = _scaled(prepared.features, spread, options, step.model, where)
    return replace(prepared, features=features, total=total)


def _scaled(
    features: Sequence[Feature],
    spread: Mapping[str, float],
    options: KMeansOptions,
    model: str,
    where: str,
) -> tuple[Feature, ...]:
    scaled = []
    for place, feature in enumerate(features):
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
            raise _constant(model, feature.name, where)
        scaled.append(
            replace(
                feature,
                center=_digits(center),
                scale=_digits(scale),
                mean=mean,
                deviation=deviation,
            )
        )
    return tuple(scaled)


def _digits(value: float) -> float:
    """Round to 12 significant digits, which two engines agree on."""
    return float(f"{value:.12g}")
