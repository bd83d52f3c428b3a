"""KMeans of many groups, which share their statements where they are small."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from fits import Rows
from kmeans_fitting import Clusters

from seg_sql.algorithms import kmeans_profile

TYPES = {"customer_id": "varchar", "country": "varchar"}
OPTIONS = {"k": 4, "group_by": "country", "features": ["a", "b", "c"]}


def customers() -> pd.DataFrame:
    """Seven countries with clusters that overlap; c3 has no spread in c, 'c'5 too few rows."""
    generator = np.random.default_rng(3)
    places = np.arange(1400)
    frame = pd.DataFrame(generator.normal(size=(1400, 3)) * 2, columns=["a", "b", "c"])
    frame["a"] += generator.choice([0, 3, 9], 1400)
    frame["b"] += generator.choice([0, 5], 1400)
    frame["size"] = 1.0 + places % 4
    frame["country"] = [f"c{place % 7}" for place in places]
    frame.loc[frame["country"] == "c3", "c"] = 1.0
    frame["country"] = frame["country"].replace("c5", "'c'5")
    frame["customer_id"] = [f"it's {place}" for place in places]
    few = frame["country"] == "'c'5"
    frame.loc[few, ["a", "b"]] = np.column_stack([places[few] % 3, places[few] % 2])
    frame.loc[few, "c"] = places[few] % 2
    frame.loc[places % 50 == 8, "a"] = np.nan
    frame.loc[frame["country"] == "c6", "b"] += 1e6
    return frame


def load(clusters: Clusters) -> None:
    load_frame(clusters, customers())


def load_frame(clusters: Clusters, frame: pd.DataFrame) -> None:
    types = {name: TYPES.get(name, "double precision") for name in frame.columns}
    clusters.shop.load_frame(frame, types, name="raw")


def in_order(rows: Rows) -> Rows:
    """Return rows in the order of what names them; that of a table is nobody's promise."""
    names = ("customer_id", "group_key", "k", "restart", "stage", "iteration", "cluster_id")
    names += ("feature", "reason")
    return sorted(rows, key=lambda row: [str(row[name]) for name in names if name in row])


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"weights": "size"},
        {"k": [2, 3, 5]},
        {"k": "auto", "k_range": (3, 8)},
        {"init": "random", "restarts": 3},
        {"missing": {"a": "median"}, "winsorize": [0.02, 0.98], "transform": "sqrt"},
        {"scaling": {"a": "robust", "b": "minmax"}, "missing": "zero"},
        {"constant": "error"},
    ],
)
def test_small_groups_are_clustered_together_as_each_alone(
    clusters: Clusters, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]
) -> None:
    """The expected rows are those of groups that are clustered one after another."""
    load(clusters)
    options = {**OPTIONS, "constant": "drop", **more}
    fit, together = clusters.fit(**options)
    # The inertia of the one group that moves last is not that of the fit.
    assert all(" group" in each.stage for each in clusters.iterations)
    assert not any("inertia" in each.figures for each in clusters.iterations)
    asked = {row["group_key"] for row in together[""]}
    assert {"c0", "c1", "c6"} <= asked
    monkeypatch.setattr(kmeans_profile, "SMALL_GROUP", 0)
    fit_apart, apart = clusters.fit(**options)
    assert not any("groups" in each.stage for each in clusters.iterations)
    assert fit.warnings == fit_apart.warnings
    for name, rows in apart.items():
        assert len(together[name]) == len(rows)
        for found, row in zip(in_order(together[name]), in_order(rows), strict=True):
            for column, value in row.items():
                if column == "seconds":
                    continue
                if isinstance(value, float):
                    value = pytest.approx(value, rel=1e-9, abs=1e-9)
                assert found[column] == value, (name, column)


def test_a_small_group_that_cannot_be_clustered_is_counted(clusters: Clusters) -> None:
    """'c'5 has the points of i % 3 and i % 2 only, which are 6, and c3 is 1 in c throughout.

    Of 28 rows without a 20 are in the other five.
    """
    load(clusters)
    fit, rows = clusters.fit(**{**OPTIONS, "k": 7})
    assert {row["group_key"] for row in rows[""]} == {"c0", "c1", "c2", "c4", "c6"}
    assert {row["reason"]: row["rows"] for row in rows["exclusions"]} == {
        "group of fewer different rows than clusters": 200,
        "group of one c": 200,
        "no a": 20,
    }
    assert "2 of 7 groups cannot be clustered" in fit.warnings[-1]
    assert "''c'5' (group of fewer different rows" in fit.warnings[-1]


def test_small_groups_start_from_the_last_fit(clusters: Clusters) -> None:
    """Clusters keep their ids, and centroids that have converged stay where they are."""
    load(clusters)
    fit, first = clusters.fit(**OPTIONS)
    published = clusters.published(fit)
    _, second = clusters.fit(**OPTIONS, warm_start=True, previous=published)
    rows = zip(in_order(first["centroids"]), in_order(second["centroids"]), strict=True)
    for before, after in rows:
        assert after["value"] == pytest.approx(before["value"], rel=1e-2, abs=2e-2)
    assert all(row["cluster_id"] == row["previous_cluster_id"] for row in second["matches"])


def test_a_group_of_many_features_is_clustered_by_itself(
    clusters: Clusters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list with a column for each coordinate of each drawn row would be too wide."""
    load(clusters)
    _, together = clusters.fit(**OPTIONS)
    monkeypatch.setattr(kmeans_profile, "WIDEST", 100)
    _, apart = clusters.fit(**OPTIONS)
    labelled = [
        {row["customer_id"]: row["cluster_id"] for row in rows[""]} for rows in (together, apart)
    ]
    assert labelled[0] == labelled[1]


def test_large_groups_are_clustered_beside_small_ones(
    clusters: Clusters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """c0 has 400 rows with those of c1, the others 200: the labels are those of each alone."""
    frame = customers()
    frame["country"] = frame["country"].replace("c1", "c0")
    load_frame(clusters, frame)
    options = {**OPTIONS, "constant": "drop", "weights": "size"}
    labelled = []
    for small in (300, 0):
        monkeypatch.setattr(kmeans_profile, "SMALL_GROUP", small)
        _, rows = clusters.fit(**options)
        labelled.append({row["customer_id"]: row["cluster_id"] for row in rows[""]})
        assert len(rows["features"]) == 5 * 3 + 2
    assert labelled[0] == labelled[1]
    assert len(labelled[0]) == 1400 - 28


@pytest.mark.parametrize(("countries", "more"), [(12, "9 more groups"), (4, "1 more group")])
def test_warnings_of_many_groups_are_a_few_lines(
    clusters: Clusters, countries: int, more: str
) -> None:
    """Countries without clusters: three are named, and the rest counted."""
    frame = customers()
    generator = np.random.default_rng(5)
    frame = frame.assign(
        a=generator.normal(size=1400),
        b=generator.normal(size=1400),
        country=[f"c{place % countries}" for place in range(1400)],
    )
    load_frame(clusters, frame)
    fit, rows = clusters.fit(
        k=[4, 5], group_by="country", features=["a", "b"], min_stability=1, min_cluster_share=0
    )
    assert len({row["group_key"] for row in rows["quality"]}) == countries
    unstable = [each for each in fit.warnings if "no number of clusters is stable" in each]
    assert [each.partition(":")[0] for each in unstable] == sorted(
        f"c{number}" for number in range(countries)
    )[:3]
    assert (
        f"{more} with warnings of this kind: customer_clusters_quality has the figures of each"
        in fit.warnings
    )
