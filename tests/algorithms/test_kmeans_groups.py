"""KMeans of many groups, whose rounds share statements where they are small."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from kmeans_fitting import Clusters

from seg_sql.algorithms import kmeans_fit

TYPES = {"customer_id": "integer", "country": "varchar"}


def customers() -> pd.DataFrame:
    """Seven countries, one of which has no spread in c, with clusters that overlap."""
    generator = np.random.default_rng(3)
    places = np.arange(1400)
    frame = pd.DataFrame(generator.normal(size=(1400, 3)) * 2, columns=["a", "b", "c"])
    frame["a"] += generator.choice([0, 3, 9], 1400)
    frame["b"] += generator.choice([0, 5], 1400)
    frame["size"] = 1.0 + places % 4
    frame["country"] = [f"c{place % 7}" for place in places]
    frame.loc[frame["country"] == "c3", "c"] = 1.0
    return frame.assign(customer_id=places)


@pytest.mark.parametrize(
    "more", [{}, {"weights": "size"}, {"k": [2, 3, 5]}, {"init": "random", "restarts": 3}]
)
def test_small_groups_are_moved_together_as_each_alone(
    clusters: Clusters, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]
) -> None:
    """The expected rows are those of groups that are moved one after another."""
    frame = customers()
    types = {name: TYPES.get(name, "double precision") for name in frame.columns}
    clusters.shop.load_frame(frame, types, name="raw")
    options = {"k": 4, "group_by": "country", "features": ["a", "b", "c"], "constant": "drop"}
    fit, together = clusters.fit(**{**options, **more})
    stages = {each.stage for each in clusters.iterations}
    assert any("of 6 groups" in stage for stage in stages)
    monkeypatch.setattr(kmeans_fit, "SMALL_GROUP", 0)
    fit_apart, apart = clusters.fit(**{**options, **more})
    assert fit.warnings == fit_apart.warnings
    for name, rows in apart.items():
        assert len(together[name]) == len(rows)
        for found, row in zip(together[name], rows, strict=True):
            for column, value in row.items():
                if column == "seconds":
                    continue
                if isinstance(value, float):
                    value = pytest.approx(value, rel=1e-9, abs=1e-9)
                assert found[column] == value, (name, column)


def test_warnings_of_many_groups_are_a_few_lines(clusters: Clusters) -> None:
    """Twelve countries without clusters: three are named, and the rest counted."""
    frame = customers()
    generator = np.random.default_rng(5)
    frame = frame.assign(
        a=generator.normal(size=1400),
        b=generator.normal(size=1400),
        country=[f"c{place % 12}" for place in range(1400)],
    )
    types = {name: TYPES.get(name, "double precision") for name in frame.columns}
    clusters.shop.load_frame(frame, types, name="raw")
    fit, rows = clusters.fit(
        k=[4, 5], group_by="country", features=["a", "b"], min_stability=1, min_cluster_share=0
    )
    assert len({row["group_key"] for row in rows["quality"]}) == 12
    unstable = [each for each in fit.warnings if "no number of clusters is stable" in each]
    assert [each.partition(":")[0] for each in unstable] == ["c0", "c1", "c10"]
    assert (
        "9 more groups have warnings of this kind: customer_clusters_quality has the figures of"
        " each" in fit.warnings
    )
