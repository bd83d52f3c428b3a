"""The part on clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seg_sql.report import marks
from seg_sql.report.figures import Figure, Part, Source, Table
from seg_sql.report.wording import count, decimal, percent, plain, share, shortened

Rows = Sequence[Mapping[str, Any]]


def clusters(source: Source) -> Part | str:
    """Return how large the clusters are, what they are like, and how good the fit is."""
    found = source.group("customer_clusters")
    if found is None:
        return "no customer is clustered"
    group, note = found
    given = {"group_key": group}
    rows = source.rows("clusters", given=given)
    if sum(row["customers"] for row in rows) < source.min_group:
        return "too few customers are clustered"
    figures = [_sizes(rows)]
    if profile := source.rows("cluster_profile", given=given):
        figures.append(_profile(profile))
    if quality := source.rows("cluster_quality", given=given):
        figures.append(_quality(quality))
    if course := source.rows("cluster_fit", given=given):
        figures.append(_course(course))
    return Part("Clusters", note, figures)


def _sizes(rows: Rows) -> Figure:
    customers = sum(row["customers"] for row in rows)
    largest = max(rows, key=lambda row: row["customers"])
    drawn = [
        {
            "name": _named(row, 34),
            "value": row["customers"],
            "label": f"{count(row['customers'])} ({percent(share(row['customers'], customers))})",
            "colour": marks.GREY
            if row["cluster_id"] is None
            else marks.colour((row["cluster_id"] - 1) % len(marks.PALETTE)),
        }
        for row in rows
    ]
    return Figure(
        "cluster-sizes",
        "Size of the clusters",
        f"The largest cluster ({largest['label']}) holds"
        f" {percent(share(largest['customers'], customers))} of the customers.",
        marks.bars(drawn, width=190),
        Table(
            ["Cluster", "Customers", "Share"],
            [
                [
                    _named(row, 99),
                    count(row["customers"]),
                    percent(share(row["customers"], customers)),
                ]
                for row in rows
            ],
            frozenset({1, 2}),
        ),
    )  # fmt: skip


def _named(row: Mapping[str, Any], length: int) -> str:
    if row["cluster_id"] is None:
        return str(row["label"])
    return shortened(f"{row['cluster_id']}  {row['label']}", length)


def _profile(rows: Rows) -> Figure:
    told = max(rows, key=lambda row: abs(row["z_score"] or 0))
    highest = abs(told["z_score"] or 0) or 1
    drawn = [
        {
            "x": plain(row["feature"]),
            "y": f"cluster {row['cluster_id']}",
            "shade": (row["z_score"] or 0) / highest,
            "label": decimal(row["z_score"], 1),
        }
        for row in rows
    ]
    side = "above" if (told["z_score"] or 0) > 0 else "below"
    features = len({row["feature"] for row in rows})
    return Figure(
        "cluster-profile",
        "What the clusters are like",
        f"Cluster {told['cluster_id']} stands out most: its {plain(told['feature'])} lies"
        f" {decimal(abs(told['z_score'] or 0), 1)} standard deviations {side} the mean.",
        marks.heat(
            drawn,
            x="",
            y="",
            width=78 if features < 5 else 52,
            height=30,
            slanted=features > 4,
        ),
        Table(
            ["Cluster", "Feature", "Mean", "Mean of all", "Standard deviations"],
            [
                [
                    str(row["cluster_id"]),
                    plain(row["feature"]),
                    decimal(row["mean"]),
                    decimal(row["population_mean"]),
                    decimal(row["z_score"]),
                ]
                for row in rows
            ],
            frozenset({0, 2, 3, 4}),
        ),
        note="Standard deviations from the mean of all customers; blue above it, orange below.",
    )  # fmt: skip


def _quality(rows: Rows) -> Figure:
    chosen = next((row for row in rows if row["chosen"]), None)
    shown = [row for row in rows if row["silhouette"] is not None]
    drawn = [{"x": row["k"], "y": row["silhouette"], "series": "silhouette"} for row in shown]
    ringed = chosen if chosen in shown else None
    reading = (
        f"{chosen['k']} clusters were chosen"
        + (f": {chosen['chosen_reason']}." if chosen["chosen_reason"] else ".")
        if chosen
        else "No number of clusters was chosen."
    )
    return Figure(
        "cluster-quality",
        "Quality by number of clusters",
        reading.replace("..", "."),
        marks.lines(
            drawn,
            {"silhouette": marks.ACCENT},
            x="number of clusters",
            y="mean silhouette",
            ordinal=True,
            marked={"x": ringed["k"], "y": ringed["silhouette"]} if ringed else None,
        ),
        Table(
            ["Clusters", "Inertia", "Silhouette", "Davies-Bouldin", "Stability", ""],
            [
                [
                    str(row["k"]),
                    decimal(row["inertia"]),
                    decimal(row["silhouette"], 3),
                    decimal(row["davies_bouldin"], 3),
                    decimal(row["stability_ari"], 3),
                    "chosen" if row["chosen"] else "",
                ]
                for row in rows
            ],
            frozenset(range(5)),
        ),
        note="A higher silhouette is better. The ring marks the chosen number.",
    )


def _course(rows: Rows) -> Figure:
    # Of the starts the one that ended best is shown, stage after stage.
    stage = rows[-1]["stage"]
    stages = {row["stage"]: None for row in rows}
    wanted = next(
        (name for name in ("all rows", "larger sample", "sample") if name in stages), stage
    )
    last: dict[int, Mapping[str, Any]] = {
        row["restart"]: row for row in rows if row["stage"] == wanted
    }
    best = min(last.values(), key=lambda row: (row["inertia"], row["restart"]))["restart"]
    course = [row for row in rows if row["stage"] == wanted and row["restart"] == best]
    first, end = course[0]["inertia"], course[-1]["inertia"]
    fall = percent(share(first - end, first))
    rounds = len(course)
    return Figure(
        "cluster-inertia",
        "The fit, round by round",
        f"In {count(rounds)} round{'' if rounds == 1 else 's'} over {wanted} the inertia fell by"
        f" {fall} to {decimal(end, 0)}.",
        marks.lines(
            [{"x": row["iteration"], "y": row["inertia"], "series": wanted} for row in course],
            {wanted: marks.ACCENT},
            x="iteration",
            y="inertia",
            number="~s",
            points=True,
        ),
        Table(
            ["Iteration", "Inertia"],
            [[str(row["iteration"]), decimal(row["inertia"])] for row in course],
            frozenset({0, 1}),
        ),
        note="Inertia: the sum of squared distances to the nearest centroid.",
    )  # fmt: skip
