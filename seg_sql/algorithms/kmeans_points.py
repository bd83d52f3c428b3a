"""The points of a fit: all rows, samples that it starts on, and halves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from seg_sql.algorithms.kmeans_features import HASH_END, Prepared, points_sql
from seg_sql.algorithms.kmeans_groups import Source
from seg_sql.algorithms.kmeans_options import KMeansOptions

if TYPE_CHECKING:
    from seg_sql.step import Steps

# The second sample is this many times the first ..
LADDER = 8
# .. or this many rows a cluster, so that one pass over all rows is left: the means of n rows a
# cluster cost about 1/n of the inertia more than those of all rows ..
ROWS_PER_CLUSTER = 40_000
# .. but no more than this part of the rows, beyond which a second pass over all rows costs less.
LARGEST_SHARE = 3
# .. and where several k are compared on it, this part of the rows.
SHARE_OF_MANY = 25
# Points are grouped when a sample has fewer distinct ones than this share of its rows.
WORTH_GROUPING = 0.25


@dataclass(frozen=True)
class Points:
    """Points x0, x1 .. with a weight w, as a relation or a SELECT in parentheses.

    Attributes:
        source: The relation.
        scales: The unit of each coordinate that is not yet divided by it, or 1.
        rows: How many there are.
        weight: The sum of their weights.
        squares: The weighted sum of their squared scaled coordinates.
        stage: What they are, for the record of the fit.
        weighted: Whether w can be other than 1.
        hash_end: The hashes h of their rows lie below it.
        raws: The features in their own units, where they are there as well.
        table: The work table that they are, unless they are read from the relation each time.
        place: The number of their group, where the source holds those of several.
        columns: What is there beside place and w.
        shares: What of w, and of half_w, is their weight there.
    """

    source: str
    scales: tuple[float, ...]
    rows: int
    weight: float
    squares: float
    stage: str
    weighted: bool
    hash_end: int = HASH_END
    raws: tuple[str, ...] = ()
    table: str | None = None
    place: int | None = None
    columns: tuple[str, ...] = ()
    shares: tuple[int, int] = (1, 0)


def levels(step: Steps, prepared: Prepared, options: KMeansOptions) -> list[Points]:
    """Return the points to fit on, from a small sample to all of them.

    The last are all points. Samples are work tables of scaled points; so are all points when they
    are few, or when equal ones are many and each stands once with its weight.
    """
    first = options.sample_rows
    ks = options.candidates
    wanted = min(ROWS_PER_CLUSTER * ks[0], prepared.rows // LARGEST_SHARE)
    if len(ks) > 1:
        wanted = prepared.rows // SHARE_OF_MANY
    second = max(first * LADDER, wanted)
    if first == 0 or options.init_centroids is not None or prepared.rows <= first:
        source = prepared.points(step, hashed=True)
        return [_table(step, prepared, source, "all rows", prepared.rows)]
    large = prepared.rows > second
    below = HASH_END * second // prepared.rows if large else None
    source = prepared.points(step, hashed=True, below=below)
    stage = "larger sample" if large else "all rows"
    bigger = _table(step, prepared, source, stage, min(second, prepared.rows))
    smaller = _smaller(step, prepared, bigger, first)
    found = _extent(step, prepared, smaller.source, count_distinct=True)
    if found["distinct_rows"] <= WORTH_GROUPING * max(smaller.rows, 1):
        return _grouped(step, prepared, options)
    return [smaller, bigger, all_rows(step, prepared)] if large else [smaller, bigger]


def _grouped(step: Steps, prepared: Prepared, options: KMeansOptions) -> list[Points]:
    source = prepared.points(step, hashed=True)
    select = step.sql("distinct_points", xs=prepared.xs, points=f"{source} as points", seed=1)
    everything = _points(
        step, prepared, step.table(select, analyze=False), "all rows", weighted=True
    )
    found = [everything]
    for size, stage in (
        (options.sample_rows * LADDER, "larger sample"),
        (options.sample_rows, "sample"),
    ):
        if found[0].rows > size:
            found.insert(0, replace(_smaller(step, prepared, found[0], size), stage=stage))
    return found


def _table(step: Steps, prepared: Prepared, source: str, stage: str, rows: int) -> Points:
    weighted = prepared.weight is not None
    select = step.sql(
        "sample_points", columns=prepared.xs, weighted=weighted, points=f"{source} as points"
    )
    make = partial(step.table, select, analyze=False)
    return _points(
        step, prepared, prepared.sparingly(step, make, made=rows), stage, weighted=weighted
    )


def _smaller(step: Steps, prepared: Prepared, points: Points, rows: int) -> Points:
    below = points.hash_end * rows // points.rows
    assert points.table is not None
    select = step.sql(
        "smaller_sample",
        xs=prepared.xs,
        weighted=points.weighted,
        points=step.relation(points.table),
        hash_below=below,
    )
    found = _points(
        step, prepared, step.table(select, analyze=False), "sample", weighted=points.weighted
    )
    return replace(found, hash_end=below)


def _points(step: Steps, prepared: Prepared, name: str, stage: str, *, weighted: bool) -> Points:
    source = step.relation(name)
    if not weighted:
        select = step.sql("unweighted_points", xs=prepared.xs, points=source)
        source = f"(\n{select}\n)"
    found = _extent(step, prepared, source)
    return Points(
        source=source,
        scales=(1.0,) * len(prepared.features),
        rows=int(found["row_count"]),
        weight=float(found["weight"] or 0),
        squares=sum(float(found[f"squared_{place}"] or 0) for place in range(len(prepared.xs))),
        stage=stage,
        weighted=weighted,
        table=name,
    )


def _extent(
    step: Steps, prepared: Prepared, points: str, *, count_distinct: bool = False
) -> dict[str, Any]:
    return step.row("extent", xs=prepared.xs, points=points, count_distinct=count_distinct)


def all_rows(step: Steps, prepared: Prepared, points: Points | None = None) -> Points:
    """Return all points, read from the relation each time: a copy would cost more than it saves.

    Those of a group that shares a work table with others are read from there.
    """
    if points is not None and points.place is not None:
        return replace(points, raws=prepared.raws)
    return Points(
        source=prepared.points(step, scaled=False, raw=True),
        scales=tuple(feature.scale for feature in prepared.features),
        rows=prepared.rows,
        weight=prepared.total,
        squares=prepared.squares,
        stage="all rows",
        weighted=prepared.weight is not None,
        raws=prepared.raws,
    )


def of_groups(step: Steps, source: Source, prepared: Sequence[Prepared]) -> list[Points]:
    """Return the points of each group, from one work table of them all.

    They hold the keys and the raw values too, so that the relation is not read again.
    """
    one = prepared[0]
    context, relation, _ = source.beside(
        step,
        [each.group_key for each in prepared],
        [{"features": [each.context(step) for each in group.features]} for group in prepared],
    )
    keys = {f"key{place}": step.engine.quote(name) for place, name in enumerate(one.key)}
    select = points_sql(
        step,
        relation,
        context["features"],
        conditions=one.conditions,
        kept=["seg_candidate as place", *(f"{key} as {inner}" for inner, key in keys.items())],
        raw=True,
        lot=one.lot,
        weight=one.weight,
    )
    columns = [*keys, *one.xs, *one.raws]
    select = step.sql(
        "sample_points",
        columns=["place", *columns],
        weighted=True,
        points=f"{select} as points",
    )
    table = step.table(select, analyze=False)
    return [
        Points(
            source=step.relation(table),
            scales=(1.0,) * len(group.features),
            rows=group.rows,
            weight=group.total,
            squares=group.squares,
            stage="all rows",
            weighted=True,
            table=table,
            place=place,
            columns=(*columns, "half_w", "h"),
        )
        for place, group in enumerate(prepared)
    ]


def half(step: Steps, points: Points, xs: Sequence[str], *, first: bool) -> Points:
    """Return the points of a hash half of a work table of points."""
    if points.place is not None:
        return replace(points, stage="half", shares=(0, 1) if first else (1, -1))
    source = step.sql("half", xs=xs, points=points.source, first=first)
    return replace(points, source=f"(\n{source}\n)", stage="half", weighted=True)
