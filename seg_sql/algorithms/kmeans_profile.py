"""What the rows of a relation are like: which columns are features, and whether they can serve."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seg_sql.algorithms.kmeans_groups import Source
from seg_sql.algorithms.kmeans_options import KMeansOptions
from seg_sql.algorithms.kmeans_seed import most_drawn
from seg_sql.errors import ModelError, did_you_mean

if TYPE_CHECKING:
    from seg_sql.engines import Column
    from seg_sql.step import Steps

LARGEST = 1e100


# Groups of no more rows share their statements, so many of them ..
SMALL_GROUP = 5_000
TOGETHER = 250
# .. unless what is listed for a group, mostly its drawn rows, has more columns. PostgreSQL takes
# 1,664.
WIDEST = 1_500


class CannotCluster(ModelError):
    """The rows, or those of one group, cannot be parted into clusters.

    Attributes:
        reason: In a few words, for the exclusions.
    """

    def __init__(self, message: str, *, reason: str, hint: str | None = None) -> None:
        """Take the sentence, and the words for the exclusions."""
        super().__init__(message, hint=hint)
        self.reason = reason


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


@dataclass(frozen=True)
class Profile:
    """What the rows of a group are like, before any is left out.

    Attributes:
        group_key: The group.
        rows: How many there are.
        known: How many have each feature.
        lowest: The least value of each feature, a float; None where none is known.
        highest: The largest, in the same way.
        known_keys: How many have each column of the key.
        weights: The least and the largest weight, if rows have weights.
    """

    group_key: str
    rows: int
    known: Mapping[str, int]
    lowest: Mapping[str, Any]
    highest: Mapping[str, Any]
    known_keys: Mapping[str, int]
    weights: tuple[float | None, float | None]


def profiles_of(
    step: Steps,
    relation: str,
    *,
    key: Sequence[str],
    names: Sequence[str],
    options: KMeansOptions,
) -> list[Profile]:
    """Look at a relation: what its rows are like, in each group or in all."""
    quote = step.engine.quote
    rows = step.rows(
        "profile",
        relation=relation,
        features=[quote(name) for name in names],
        keys=[quote(name) for name in key],
        weight=quote(options.weights) if options.weights else None,
        by=[quote(name) for name in options.group_by],
    )
    return [
        Profile(
            group_key=row.get("group_key", "all"),
            rows=int(row["row_count"]),
            known={name: int(row[f"known_{place}"]) for place, name in enumerate(names)},
            lowest={name: row[f"lowest_{place}"] for place, name in enumerate(names)},
            highest={name: row[f"highest_{place}"] for place, name in enumerate(names)},
            known_keys={name: int(row[f"known_key_{place}"]) for place, name in enumerate(key)},
            weights=(row.get("least_weight"), row.get("most_weight")),
        )
        for row in rows
    ]


def constant_features(profile: Profile, options: KMeansOptions) -> tuple[str, ...]:
    """Return the features that are left out because they are the same in every row."""
    constant = [
        name
        for name, lowest in profile.lowest.items()
        if lowest is not None and lowest == profile.highest[name]
    ]
    drop = options.constant == "drop" and len(constant) < len(profile.lowest)
    return tuple(constant) if drop else ()


def sources(
    step: Steps, relation: str, profiles: Sequence[Profile], options: KMeansOptions
) -> Iterator[tuple[Source, list[Profile]]]:
    """Yield where the rows of each group are: of small ones together with those of others."""
    if not options.group_by:
        yield Source(relation), list(profiles)
        return
    by = [step.engine.quote(name) for name in options.group_by]
    small: dict[tuple[str, ...], list[Profile]] = {}
    for profile in profiles:
        constant = constant_features(profile, options)
        width = (len(profile.known) - len(constant) + 1) * most_drawn(max(options.candidates))
        few = profile.rows <= min(SMALL_GROUP, options.sample_rows or SMALL_GROUP)
        if few and width <= WIDEST:
            small.setdefault(constant, []).append(profile)
            continue
        literal = step.engine.literal(profile.group_key)
        select = step.sql("group_rows", relation=relation, columns=by, group_key=literal)
        yield Source(step.relation(step.table(select, analyze=False))), [profile]
    for alike in small.values():
        for first in range(0, len(alike), TOGETHER):
            yield Source(relation, by), alike[first : first + TOGETHER]


def checked(profile: Profile, *, names: Sequence[str], model: str) -> Profile:
    """Return the profile of a group whose features can be told apart and measured.

    Raises:
        ModelError: A value is no finite number.
        CannotCluster: The group has too little in it.
    """
    where = where_of(profile.group_key)
    if profile.rows == 0:
        raise ModelError(f"{model} has no row to cluster{where}.")
    for name in names:
        lowest, highest = profile.lowest[name], profile.highest[name]
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
            raise constant_feature(model, name, where)
    for value in profile.weights:
        if value is not None and (not math.isfinite(value) or value < 0):
            raise ModelError(f"{model}: a weight is {value}{where}; weights are 0 or more.")
    return profile


def constant_feature(model: str, name: str, where: str) -> CannotCluster:
    """Return the error of a feature that is the same in every row."""
    return CannotCluster(
        f"{model}: '{name}' is the same in every row{where}, so it cannot tell clusters apart.",
        reason=f"group of one {name}",
        hint="Leave it out of the features.",
    )


def where_of(group_key: str) -> str:
    """Name the group, for an error."""
    return "" if group_key == "all" else f" in the group '{group_key}'"
