"""KMeans against scikit-learn, against planted clusters, and by hand, on both engines."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kmeans_fitting import Clusters
from numpy.typing import NDArray
from shop import Shop
from sklearn.cluster import KMeans
from sklearn.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
)
from sklearn.preprocessing import StandardScaler

from seg_sql.algorithms.kmeans_options import KMeansOptions
from seg_sql.algorithms.kmeans_quality import Quality, choose
from seg_sql.errors import ModelError
from seg_sql.events import Said
from seg_sql.profiles import DuckDBTarget, PostgresTarget

SPENDING = ["fresh", "milk", "grocery", "frozen", "detergents_paper", "delicassen"]
POINT = {"customer_id": "integer", "a": "double precision", "b": "double precision"}


def points(values: Any, names: Sequence[str] = ("a", "b")) -> pd.DataFrame:
    frame = pd.DataFrame(np.asarray(values, dtype=float), columns=list(names))
    frame.insert(0, "customer_id", np.arange(len(frame)))
    return frame


def load(clusters: Clusters, frame: pd.DataFrame, name: str = "raw", **types: str) -> None:
    known = {column: types.get(column, "double precision") for column in frame.columns}
    clusters.shop.load_frame(frame, {**known, "customer_id": "integer", **types}, name=name)


def labels(rows: Sequence[dict[str, Any]]) -> NDArray[np.int64]:
    """Cluster ids in the order of customer_id."""
    return np.array([row["cluster_id"] for row in sorted(rows, key=lambda r: r["customer_id"])])


def inertia(rows: dict[str, list[dict[str, Any]]]) -> float:
    return next(float(row["inertia"]) for row in rows["quality"] if row["chosen"])


def assert_same(
    rows: Sequence[dict[str, Any]], others: Sequence[dict[str, Any]], *, tolerance: float = 1e-9
) -> None:
    """Compare rows, numbers to a relative tolerance."""
    assert len(rows) == len(others)
    for row, other in zip(rows, others, strict=True):
        for name, value in row.items():
            if isinstance(value, float):
                assert value == pytest.approx(other[name], rel=tolerance, abs=tolerance), name
            else:
                assert value == other[name], name


def blobs(seed: int, k: int, *, rows: int = 600, axes: int = 2) -> tuple[Any, Any]:
    """Planted clusters of unequal size, at least 8 standard deviations apart."""
    generator = np.random.default_rng(seed)
    corners: list[Any] = []
    while len(corners) < k:
        corner = generator.uniform(-20, 20, axes)
        if all(np.linalg.norm(corner - other) >= 8 for other in corners):
            corners.append(corner)
    shares = generator.dirichlet(np.full(k, 6.0))
    truth = generator.choice(k, rows, p=0.7 * shares + 0.3 / k)
    return np.array(corners)[truth] + generator.normal(size=(rows, axes)), truth


def centroids_of(rows: dict[str, list[dict[str, Any]]], column: str = "scaled_value") -> Any:
    frame = pd.DataFrame(rows["centroids"])
    return frame.pivot(index="cluster_id", columns="feature", values=column)


@pytest.fixture
def wholesale(clusters: Clusters, shared_data: Any) -> pd.DataFrame:
    frame = pd.read_parquet(shared_data / "wholesale_customers.parquet")
    frame.columns = [column.lower() for column in frame.columns]
    frame = frame[SPENDING].astype(float)
    frame.insert(0, "customer_id", np.arange(len(frame)))
    load(clusters, frame)
    return frame


def start_table(clusters: Clusters, frame: pd.DataFrame, name: str = "start") -> str:
    """Make the relation of start centroids, one row for each cluster and feature."""
    rows = [
        [place, column, float(row[column])]
        for place, (_, row) in enumerate(frame.iterrows())
        for column in frame.columns
    ]
    clusters.shop.load(
        rows,
        ["cluster_id", "feature", "value"],
        name=name,
        types={"cluster_id": "integer", "value": "double precision"},
    )
    return clusters.shop.raw(name)


@pytest.mark.parametrize("k", [3, 6])
def test_same_labels_as_scikit_learn_from_the_same_start(
    clusters: Clusters, wholesale: pd.DataFrame, k: int
) -> None:
    """log1p, StandardScaler, Lloyd to strict convergence: labels, inertia, indices, centroids."""
    start = wholesale.iloc[[37 * place + 5 for place in range(k)]]
    relation = start_table(clusters, start[SPENDING])
    fit, rows = clusters.fit(init_centroids=relation, transform="log1p", tolerance=0)

    scaled = StandardScaler().fit_transform(np.log1p(wholesale[SPENDING]))
    peer = KMeans(k, init=scaled[start.index], n_init=1, tol=0, algorithm="lloyd").fit(scaled)
    ours = labels(rows[""])
    assert adjusted_rand_score(peer.labels_, ours) == 1.0
    assert inertia(rows) == pytest.approx(peer.inertia_, rel=1e-9)
    quality = rows["quality"][0]
    assert quality["calinski_harabasz"] == pytest.approx(
        calinski_harabasz_score(scaled, peer.labels_), rel=1e-8
    )
    assert quality["davies_bouldin"] == pytest.approx(
        davies_bouldin_score(scaled, peer.labels_), rel=1e-6
    )
    theirs = peer.cluster_centers_[:, np.argsort(SPENDING)]
    found = centroids_of(rows).to_numpy()
    assert found[np.argsort(found[:, 0])] == pytest.approx(theirs[np.argsort(theirs[:, 0])])
    assert fit.status.startswith("CONVERGED")

    # The simplified silhouette by its definition: distances to the two nearest centroids.
    distances = np.sort(peer.transform(scaled), axis=1)
    assert quality["silhouette"] == pytest.approx(
        float(np.mean(1 - distances[:, 0] / distances[:, 1])), rel=1e-8
    )


@pytest.mark.parametrize("options", [{"scaling": "none"}, {}, {"transform": "log1p"}], ids=str)
def test_the_default_start_is_as_good_as_ten_of_scikit_learn(
    clusters: Clusters, wholesale: pd.DataFrame, options: dict[str, str]
) -> None:
    """At most 1.001 times its best inertia: as it is, scaled, and of the logarithms."""
    values = wholesale[SPENDING].to_numpy()
    if "transform" in options:
        values = np.log1p(values)
    if "scaling" not in options:
        values = StandardScaler().fit_transform(values)
    for k in range(2, 9):
        _, rows = clusters.fit(k=k, **options)
        peer = KMeans(k, n_init=10, random_state=0).fit(values)
        assert inertia(rows) <= 1.001 * peer.inertia_, k


def test_features_far_from_zero_are_scaled_as_by_scikit_learn(clusters: Clusters) -> None:
    """A mean of a million deviations: its square less the variance has no digit left of it."""
    values = blobs(5, 3)[0] * [1.0, 1e-3] + [1e6, 5.0]
    load(clusters, points(values))
    _, rows = clusters.fit(k=3)
    scaler = StandardScaler().fit(values)
    found = {row["feature"]: row for row in rows["features"]}
    for place, name in enumerate("ab"):
        assert found[name]["center"] == pytest.approx(scaler.mean_[place], rel=1e-11)
        assert found[name]["scale"] == pytest.approx(scaler.scale_[place], rel=1e-9)
    peer = KMeans(3, n_init=10, random_state=0).fit(scaler.transform(values))
    assert inertia(rows) == pytest.approx(peer.inertia_, rel=1e-6)


def test_each_row_has_the_label_of_its_cluster(clusters: Clusters) -> None:
    """That of the profile, of one group and of several."""
    values, _ = blobs(6, 3)
    frame = points(values)
    frame["country"] = ["FI", "SE"] * (len(frame) // 2)
    load(clusters, frame, country="text")
    for by in ([], ["country"]):
        _, rows = clusters.fit(k=3, features=["a", "b"], group_by=by)
        named = {(row["group_key"], row["cluster_id"]): row["label"] for row in rows["profile"]}
        assert len(named) == 3 * max(1, 2 * len(by))
        for row in rows[""]:
            assert row["cluster_label"] == named[row["group_key"], row["cluster_id"]]
        assert {row["group_key"] for row in rows[""]} == ({"FI", "SE"} if by else {"all"})


def test_each_row_is_in_the_cluster_of_the_nearest_published_centroid(
    clusters: Clusters, wholesale: pd.DataFrame
) -> None:
    _, rows = clusters.fit(k=4, transform="sqrt", scaling="robust")
    features = pd.DataFrame(rows["features"]).set_index("feature")
    centers = centroids_of(rows)
    scaled = np.sqrt(wholesale[centers.columns])
    scaled = (scaled - features["center"]) / features["scale"]
    values = scaled[centers.columns].to_numpy()
    distances = np.linalg.norm(values[:, None, :] - centers.to_numpy()[None], axis=2)
    assert (labels(rows[""]) == distances.argmin(axis=1) + 1).all()
    found = {row["customer_id"]: row for row in rows[""]}
    for place, row in enumerate(distances):
        nearest, second = np.sort(row)[:2]
        assert found[place]["distance"] == pytest.approx(nearest, rel=1e-9)
        assert found[place]["silhouette"] == pytest.approx(1 - nearest / second, abs=1e-9)
        assert found[place]["second_cluster_id"] == np.argsort(row)[1] + 1
    quality = rows["quality"][0]
    assert quality["inertia"] == pytest.approx(float((distances.min(axis=1) ** 2).sum()), rel=1e-9)
    # median and interquartile range by pandas; values invert the transform
    expected = np.sqrt(wholesale["milk"]).quantile([0.25, 0.5, 0.75])
    assert features.loc["milk", "center"] == pytest.approx(expected[0.5], rel=1e-9)
    assert features.loc["milk", "scale"] == pytest.approx(expected[0.75] - expected[0.25])
    assert centroids_of(rows, "value").loc[1, "milk"] == pytest.approx(
        (centers.loc[1, "milk"] * features.loc["milk", "scale"] + features.loc["milk", "center"])
        ** 2
    )


def test_the_profile_by_pandas(clusters: Clusters, wholesale: pd.DataFrame) -> None:
    _, rows = clusters.fit(k=3, transform="log1p")
    found = wholesale.assign(cluster_id=labels(rows[""]))
    means = found.groupby("cluster_id")[SPENDING].mean()
    logs = np.log1p(wholesale[SPENDING])
    deviations = (logs.groupby(found["cluster_id"]).mean() - logs.mean()) / logs.std(ddof=0)
    sizes = found.groupby("cluster_id").size()
    assert list(sizes) == sorted(sizes, reverse=True)  # ids by descending size
    assert len(rows["profile"]) == 3 * len(SPENDING)
    for row in rows["profile"]:
        id_, feature = row["cluster_id"], row["feature"]
        assert row["customers"] == sizes[id_]
        assert row["customer_share"] == pytest.approx(sizes[id_] / 440)
        assert row["mean"] == pytest.approx(means.loc[id_, feature], rel=1e-9)
        assert row["population_mean"] == pytest.approx(wholesale[feature].mean(), rel=1e-9)
        assert row["z_score"] == pytest.approx(deviations.loc[id_, feature], rel=1e-7, abs=1e-9)
    assert len({row["label"] for row in rows["profile"]}) == 3


def test_planted_clusters_are_found(clusters: Clusters) -> None:
    """Well separated clusters from 20 seeds of 20 (adjusted Rand index of at least 0.99)."""
    values, truth = blobs(7, 5)
    load(clusters, points(values))
    found = [
        adjusted_rand_score(truth, labels(clusters.fit(k=5, seed=seed)[1][""]))
        for seed in range(20)
    ]
    assert min(found) >= 0.99


def test_auto_finds_the_planted_number(clusters: Clusters) -> None:
    """From at least 18 seeds of 20."""
    right = 0
    for seed in range(20):
        k, axes = 3 + seed % 6, 2 + seed % 3
        values, _ = blobs(100 + seed, k, rows=400, axes=axes)
        load(clusters, points(values, ["a", "b", "c", "d"][:axes]))
        fit, rows = clusters.fit(seed=seed)
        right += fit.parameters["k"] == k
        assert [row["k"] for row in rows["quality"]] == list(range(3, 11))
        assert [row["k"] for row in rows["quality"] if row["chosen"]] == [fit.parameters["k"]]
    assert right >= 18


def test_no_stable_number_is_a_warning(clusters: Clusters) -> None:
    """One round cloud has no clusters: the most stable k is taken, and the warning says so."""
    load(clusters, points(np.random.default_rng(3).normal(size=(400, 2))))
    fit, rows = clusters.fit(k=[5, 6, 7], min_stability=1)
    assert "no number of clusters is stable" in " ".join(fit.warnings)
    chosen = next(row for row in rows["quality"] if row["chosen"])
    assert chosen["stability_ari"] == max(row["stability_ari"] for row in rows["quality"])
    assert chosen["chosen_reason"].startswith("most stable")


def test_a_number_whose_stability_is_not_known_is_not_the_most_stable() -> None:
    """Halves of nine rows cannot be parted into five clusters, and agree less than by chance."""
    told = {3: -0.25, 4: -0.09, 5: None}
    qualities = [
        Quality(k, 1.0, 0.7, None, None, smallest_cluster_share=0.1, stability_ari=index)
        for k, index in told.items()
    ]
    chosen, reason, caution = choose(qualities, KMeansOptions())
    assert chosen == 4
    assert reason.startswith("most stable")
    assert caution is not None
    assert "k=4 is the most stable with an adjusted Rand index of -0.090" in caution


def test_too_few_rows_to_tell_the_stability(clusters: Clusters) -> None:
    load(clusters, points(np.random.default_rng(4).normal(size=(5, 2))))
    fit, rows = clusters.fit(k="auto")
    assert {row["stability_ari"] for row in rows["quality"]} == {None}
    assert [row["k"] for row in rows["quality"] if row["chosen"]] == [3]
    assert "too few to tell which number of clusters is stable" in " ".join(fit.warnings)


def test_columns_that_are_no_numbers_are_named(clusters: Clusters) -> None:
    values, _ = blobs(19, 3, rows=60)
    frame = points(values, ["a", "b"]).assign(segment="gold", late=True, size=1.0)
    load(clusters, frame, segment="varchar", late="boolean")
    clusters.fit(k=3, weights="size")
    said = [each.text for each in clusters.log.of(Said)]
    assert said == ["customer_clusters: not numbers, and so no features: segment, late"]
    clusters.log.events.clear()
    _, rows = clusters.fit(k=3, features=["a", "b"])
    assert not clusters.log.of(Said)
    assert [row["feature"] for row in rows["features"]] == ["a", "b"]


def test_by_hand(clusters: Clusters) -> None:
    """Ten points on a line: the two clusters, their means and the inertia on paper.

    0 1 2 | 10 11 12 13 14 15 16: means 1 and 13, inertia 2 + 28 = 30.
    """
    load(clusters, points([[v] for v in [0, 1, 2, 10, 11, 12, 13, 14, 15, 16]], ["a"]))
    fit, rows = clusters.fit(k=2, scaling="none")
    assert list(labels(rows[""])) == [2, 2, 2, 1, 1, 1, 1, 1, 1, 1]
    assert {row["cluster_id"]: row["value"] for row in rows["centroids"]} == pytest.approx(
        {1: 13.0, 2: 1.0}
    )
    assert inertia(rows) == pytest.approx(30.0)
    assert {row["cluster_label"] for row in rows[""]} == {"high a", "low a"}
    assert fit.parameters["k"] == 2
    assert rows[""][0]["as_of"].isoformat() == "2026-01-01"
    assert rows["exclusions"] == []


def test_names_of_the_user_may_be_names_of_ours(clusters: Clusters) -> None:
    values, truth = blobs(19, 3, rows=120)
    frame = points(values, ["x1", "x0"]).assign(best=np.arange(120))
    load(clusters, frame, best="integer")
    _, rows = clusters.fit(k=3, key=["best", "customer_id"])
    found = sorted(rows[""], key=lambda row: row["best"])
    assert adjusted_rand_score(truth, [row["cluster_id"] for row in found]) >= 0.9
    assert {row["feature"] for row in rows["features"]} == {"x0", "x1"}


def test_the_same_clusters_on_both_engines_and_any_number_of_threads(
    tmp_path: Path, duckdb_target: DuckDBTarget, postgres_target: PostgresTarget
) -> None:
    """By way of the samples, on data without clear clusters: every customer, and the centroids."""
    generator = np.random.default_rng(21)
    frame = points(np.round(np.exp(generator.normal(3, 1, size=(6000, 2))), 2))
    found = []
    for target in (
        duckdb_target,
        duckdb_target.model_copy(update={"threads": 1}),
        postgres_target,
    ):
        shop = Shop(tmp_path / "project", target)
        shop.write()
        clusters = Clusters(shop)
        load(clusters, frame)
        found.append(clusters.fit(k=5, transform="log1p", sample_rows=150)[1])
    for other in found[1:]:
        assert (labels(other[""]) == labels(found[0][""])).all()
        for output in ("features", "centroids", "profile", "quality"):
            assert_same(other[output], found[0][output], tolerance=1e-8)


def test_an_equidistant_point_keeps_its_row(clusters: Clusters) -> None:
    """Of -1, 0 and 1, 0 is as far from both centroids: it is there once, in the lower id."""
    load(clusters, points([[-1.0], [-1.0], [0.0], [1.0], [1.0]], ["a"]))
    # Centers at -1 and 1: of the first fit's features, with a scaling that moves nothing.
    fit, _ = clusters.fit(k=2, scaling="none")
    with clusters.shop.engine() as engine:
        centroids = engine.relation(fit.outputs["centroids"])
        for id_, value in ((1, -1.0), (2, 1.0)):
            engine.execute(
                f"update {centroids} set scaled_value = {value} where cluster_id = {id_}"
            )
        select = clusters.score(fit, scaling="none")
    with clusters.shop.engine() as engine:
        rows = engine.fetch(select).dicts()
    assert list(labels(rows)) == [1, 1, 1, 2, 2]
    middle = next(row for row in rows if row["customer_id"] == 2)
    assert (middle["second_cluster_id"], middle["distance"], middle["silhouette"]) == (2, 1.0, 0.0)


def test_a_shuffled_table_gives_the_same_clusters(clusters: Clusters) -> None:
    values, _ = blobs(3, 4, rows=900)
    frame = points(values * 0.3 + np.random.default_rng(0).normal(size=values.shape))
    # Sorted duplicates at the head of the table.
    frame.loc[frame.index < 100, ["a", "b"]] = [1.5, 1.5]
    load(clusters, frame)
    first = clusters.fit(k=4, sample_rows=300)[1]
    load(clusters, frame.sample(frac=1, random_state=5), name="shuffled")
    again = clusters.fit(k=4, sample_rows=300, relation="shuffled")[1]
    assert (labels(first[""]) == labels(again[""])).all()
    assert first["centroids"] == again["centroids"]


def test_the_order_of_k_does_not_matter(clusters: Clusters) -> None:
    values, _ = blobs(4, 4, rows=300)
    load(clusters, points(values))
    given, sorted_ = (clusters.fit(k=k)[1]["quality"] for k in ([5, 2, 3, 4], [2, 3, 4, 5]))
    assert [row["k"] for row in given] == [2, 3, 4, 5]
    assert_same(given, sorted_)
    assert [row["k"] for row in given if row["chosen"]] == [4]


def test_missing_values_are_counted_by_reason(clusters: Clusters) -> None:
    values, _ = blobs(5, 3, rows=200)
    frame = points(values)
    frame.loc[:9, "a"] = np.nan
    frame.loc[5:19, "b"] = np.nan
    frame["customer_id"] = frame["customer_id"].astype("Int64")
    frame.loc[199, "customer_id"] = None
    load_nulls(clusters, frame)
    _, rows = clusters.fit(k=3)
    assert {row["reason"]: row["rows"] for row in rows["exclusions"]} == {
        "no customer_id": 1,
        "no a": 10,
        "no b": 10,  # five of the fifteen already lack a
    }
    assert len(rows[""]) == 200 - 21
    _, rows = clusters.fit(k=3, missing={"a": "median", "b": "zero"})
    assert len(rows[""]) == 199
    fills = {row["feature"]: row["fill_value"] for row in rows["features"]}
    assert fills == pytest.approx({"a": frame["a"].median(), "b": 0.0})


def load_nulls(clusters: Clusters, frame: pd.DataFrame) -> None:
    """Load with NULL, not NaN, where pandas has no value."""
    rows = [
        [
            None if pd.isna(value) else (int(value) if place == 0 else float(value))
            for place, value in enumerate(row)
        ]
        for row in frame.itertuples(index=False)
    ]
    clusters.shop.load(rows, list(frame.columns), types=dict(POINT))


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([[1, 1.0, 2.0], [2, 1.0, 3.0]], {"k": 2}, "'a' is the same in every row"),
        ([[1, 1.0, float("nan")], [2, 2.0, 3.0]], {"k": 2}, "NaN"),
        ([[1, 1.0, float("inf")], [2, 2.0, 3.0]], {"k": 2}, "infinite"),
        ([[1, 1.0, float("-inf")], [2, 2.0, 3.0]], {"k": 2}, "infinite"),
        ([[1, 1.0, 1e200], [2, 2.0, 3.0]], {"k": 2}, "beyond"),
        ([[1, 1.0, None], [2, 2.0, None]], {"k": 2}, "every value of 'b' is missing"),
        ([[1, 1.0, 2.0], [2, 2.0, 1.0], [3, 2.0, 1.0]], {"k": 3}, "only 2 rows differ"),
        ([], {"k": 2}, "no row to cluster"),
        (
            [[1, None, 2.0], [2, 2.0, None], [3, None, 1.0], [4, 1.0, None]],
            {"k": 2},
            "no row has all its features",
        ),
        ([[1, 1.0, 2.0]], {"k": 2, "features": ["a", "c"]}, "no column 'c'"),
    ],
)
def test_what_cannot_be_clustered_is_one_sentence(
    clusters: Clusters, rows: list[list[Any]], options: dict[str, Any], message: str
) -> None:
    clusters.shop.load(rows, ["customer_id", "a", "b"], types=dict(POINT))
    with pytest.raises(ModelError, match=message):
        clusters.fit(**options)


def test_an_empty_cluster_is_reseeded(clusters: Clusters) -> None:
    """Two start centroids at one place: the second gets the point farthest from its centroid."""
    load(clusters, points([[0.0], [1.0], [2.0], [30.0]], ["a"]))
    start = start_table(clusters, pd.DataFrame({"a": [1.0, 1.0]}))
    _, rows = clusters.fit(init_centroids=start, scaling="none", tolerance=0)
    assert list(labels(rows[""])) == [1, 1, 1, 2]
    assert inertia(rows) == pytest.approx(2.0)


def test_samples_and_repeated_rows_end_where_all_rows_do(clusters: Clusters) -> None:
    """A fit by way of samples, and one on distinct rows with weights, against scikit-learn."""
    scores = np.clip(np.round(blobs(11, 4, rows=4000)[0] / 4), -4, 4)  # at most 81 distinct rows
    load(clusters, points(scores))
    _, rows = clusters.fit(k=4, sample_rows=500)
    scaled = StandardScaler().fit_transform(scores)
    best = KMeans(4, n_init=10, random_state=0).fit(scaled)
    assert inertia(rows) <= 1.001 * best.inertia_
    assert max(row["rows_scanned"] for row in rows["fit"] if row["stage"] != "half") <= 81

    values, truth = blobs(12, 4, rows=9000)
    load(clusters, points(values))
    _, rows = clusters.fit(k=4, sample_rows=300)
    assert {row["stage"] for row in rows["fit"]} >= {"sample", "larger sample", "all rows"}
    best = KMeans(4, n_init=10, random_state=0).fit(StandardScaler().fit_transform(values))
    assert inertia(rows) <= 1.0001 * best.inertia_
    assert adjusted_rand_score(truth, labels(rows[""])) >= 0.99


def test_weights_count_as_rows(clusters: Clusters) -> None:
    """A weight of 3 is the row three times: the same centers, scales, centroids and inertia."""
    values, _ = blobs(13, 3, rows=60)
    frame = points(values)
    weights = np.random.default_rng(1).integers(1, 4, len(frame))
    load(clusters, frame.assign(w=weights.astype(float)))
    repeated = frame.loc[frame.index.repeat(weights)].reset_index(drop=True)
    start = start_table(clusters, frame[["a", "b"]].iloc[[0, 20, 40]])
    weighted = clusters.fit(weights="w", init_centroids=start, tolerance=0)[1]
    load(clusters, repeated.assign(customer_id=np.arange(len(repeated))))
    plain = clusters.fit(init_centroids=start, tolerance=0)[1]
    assert inertia(weighted) == pytest.approx(inertia(plain), rel=1e-9)
    assert_same(weighted["centroids"], plain["centroids"], tolerance=1e-8)
    with pytest.raises(ModelError, match="weights are 0 or more"):
        load(clusters, frame.assign(w=-1.0))
        clusters.fit(weights="w", k=2)


def test_groups_are_clustered_each_on_their_own(clusters: Clusters) -> None:
    """Each group gives what a fit of its rows alone gives."""
    values, _ = blobs(14, 3, rows=240)
    frame = points(values).assign(country=np.where(np.arange(240) % 3 == 0, "fr", "uk"))
    load(clusters, frame, country="varchar")
    _, rows = clusters.fit(k=3, group_by="country")
    assert {row["group_key"] for row in rows[""]} == {"fr", "uk"}
    assert len(rows[""]) == 240
    load(clusters, frame[frame["country"] == "fr"].drop(columns="country"), name="french")
    alone = clusters.fit(k=3, relation="french")[1]
    of_french = [row for row in rows[""] if row["group_key"] == "fr"]
    assert (labels(of_french) == labels(alone[""])).all()
    for one, other in zip(
        [row for row in rows["centroids"] if row["group_key"] == "fr"],
        alone["centroids"],
        strict=True,
    ):
        assert one["value"] == pytest.approx(other["value"], rel=1e-9)


def test_a_group_that_cannot_be_clustered_does_not_stop_the_others(clusters: Clusters) -> None:
    """One of two rows that are equal, one of a constant feature: counted, and named in a warning."""
    values, _ = blobs(14, 3, rows=150)
    frame = points(values).assign(country="uk")
    few = pd.DataFrame({"customer_id": [200, 201], "a": [1.0, 2.0], "b": [2.0, 1.0]})
    flat = pd.DataFrame({"customer_id": range(300, 305), "a": 1.0, "b": [1.0, 2, 3, 4, 5]})
    both = [few.assign(country="at"), flat.assign(country="be")]
    load(clusters, pd.concat([frame, *both]), country="varchar")
    fit, rows = clusters.fit(k=3, group_by="country")
    assert {row["group_key"] for row in rows[""]} == {"uk"}
    assert {row["reason"]: row["rows"] for row in rows["exclusions"]} == {
        "group of fewer different rows than clusters": 2,
        "group of one a": 5,
    }
    assert "2 of 3 groups cannot be clustered" in " ".join(fit.warnings)
    assert "'at' (group of fewer different rows" in " ".join(fit.warnings)
    load(clusters, both[0], country="varchar")
    with pytest.raises(ModelError, match="only 2 rows differ in their features in the group 'at'"):
        clusters.fit(k=3, group_by="country")


def test_a_constant_feature_may_be_dropped(clusters: Clusters) -> None:
    values, truth = blobs(14, 3, rows=150)
    load(clusters, points(values).assign(c=4.0))
    with pytest.raises(ModelError, match="'c' is the same in every row"):
        clusters.fit(k=3)
    fit, rows = clusters.fit(k=3, constant="drop")
    assert {row["feature"] for row in rows["features"]} == {"a", "b"}
    assert fit.warnings == ["'c' is the same in every row, and left out of the features"]
    assert adjusted_rand_score(truth, labels(rows[""])) >= 0.99


def test_auto_takes_what_few_customers_allow(clusters: Clusters) -> None:
    """Of two customers that differ there are two clusters, though k_range begins at 3."""
    load(clusters, points([[1.0, 1.0], [2.0, 2.0], [2.0, 2.0]]))
    fit, rows = clusters.fit()
    assert fit.parameters["k"] == 2
    assert list(labels(rows[""])) == [2, 1, 1]


def test_a_kept_fit_counts_the_exclusions_of_today(clusters: Clusters) -> None:
    """A group that the fit never saw, a missing feature, and a NaN: each counted by its reason."""
    values, _ = blobs(14, 3, rows=120)
    frame = points(values).assign(country=np.where(np.arange(120) % 2 == 0, "fr", "uk"))
    load(clusters, frame, country="varchar")
    first, _ = clusters.fit(k=3, group_by="country")
    rows = [
        [1, 0.0, 0.0, "fr"],
        [2, 0.0, 0.0, "es"],
        [3, None, 0.0, "uk"],
        [4, 0.0, float("nan"), "uk"],
        [5, 0.0, 0.0, "es"],
    ]
    types = {**POINT, "country": "varchar"}
    clusters.shop.load(rows, [*frame.columns], name="today", types=types)
    _, found = clusters.fit(
        k=3,
        group_by="country",
        relation="today",
        previous=clusters.published(first),
        keep_fit=True,
    )
    assert [row["customer_id"] for row in found[""]] == [1]
    assert {row["reason"]: row["rows"] for row in found["exclusions"]} == {
        "group not in the fit": 2,
        "no a": 1,
        "b is no finite number": 1,
    }


def test_ids_stay_on_a_refit_and_never_scores_with_the_last(clusters: Clusters) -> None:
    values, _ = blobs(15, 4, rows=400)
    load(clusters, points(values))
    first, before = clusters.fit(k=4, as_of="2026-01-01")
    # Today the smallest cluster has become the largest: by size it would get id 1.
    smallest = values[labels(before[""]) == 4]
    grown = np.vstack([values, *[smallest + 0.01 * turn for turn in range(20)]])
    load(clusters, points(grown), name="today")
    previous = clusters.published(first)
    _, after = clusters.fit(k=4, relation="today", previous=previous, as_of="2026-02-01")
    assert (labels(after[""])[:400] == labels(before[""])).all()
    matches = {row["cluster_id"]: row for row in after["matches"]}
    assert {id_: row["previous_cluster_id"] for id_, row in matches.items()} == {
        1: 1,
        2: 2,
        3: 3,
        4: 4,
    }
    assert all(row["centroid_distance"] < 1 for row in matches.values())

    fit, scored = clusters.fit(
        k=4, relation="today", previous=previous, keep_fit=True, as_of="2026-02-01"
    )
    assert (labels(scored[""])[:400] == labels(before[""])).all()
    assert {row["fitted_as_of"].isoformat() for row in scored[""]} == {"2026-01-01"}
    assert {row["as_of"].isoformat() for row in scored[""]} == {"2026-02-01"}
    assert sorted(scored["centroids"], key=str) == sorted(before["centroids"], key=str)
    assert fit.status.startswith("SCORED")


def test_labels_go_with_ids_that_have_a_gap(clusters: Clusters) -> None:
    """Of three clusters the second has gone: 1 and 3 are left, each under the label it has now."""
    values = np.repeat([[0.0, 0.0], [30.0, 0.0], [0.0, 30.0]], [30, 20, 10], axis=0)
    values += np.random.default_rng(1).normal(size=values.shape)
    load(clusters, points(values))
    first, before = clusters.fit(k=3)
    assert list(labels(before[""])) == [1] * 30 + [2] * 20 + [3] * 10
    load(clusters, points(np.delete(values, range(30, 50), axis=0)), name="today")
    _, after = clusters.fit(k=2, relation="today", previous=clusters.published(first))
    assert list(labels(after[""])) == [1] * 30 + [3] * 10
    # Sideways the two are not told apart.
    assert [
        (row["cluster_id"], row["label"]) for row in after["profile"] if row["feature"] == "b"
    ] == [
        (1, "low b, average a"),
        (3, "high b, average a"),
    ]
    named = {row["cluster_id"]: row["label"] for row in after["profile"]}
    assert all(row["cluster_label"] == named[row["cluster_id"]] for row in after[""])


def test_scoring_gives_what_the_fit_gave_as_a_view_too(clusters: Clusters) -> None:
    values, _ = blobs(16, 3, rows=150)
    values[0] = [-0.5, 2.0]
    load(clusters, points(values))
    options = {"k": 3, "transform": {"a": "log1p", "b": "sqrt"}, "winsorize": (0.05, 0.95)}
    fit, rows = clusters.fit(**options)
    select = clusters.score(fit, **options)
    with clusters.shop.engine() as engine:
        engine.create("scored", "view", select)
        found = engine.fetch(f"select * from {engine.relation('scored')}").dicts()
    for one, other in zip(
        sorted(found, key=lambda row: row["customer_id"]),
        sorted(rows[""], key=lambda row: row["customer_id"]),
        strict=True,
    ):
        assert {**one, "as_of": None} == {**other, "as_of": None}


def test_the_last_fit_is_the_start_when_wanted(clusters: Clusters) -> None:
    values, _ = blobs(17, 5, rows=500)
    load(clusters, points(values + np.random.default_rng(2).normal(size=values.shape) * 3))
    first, cold = clusters.fit(k=5)
    _, warm = clusters.fit(k=5, previous=clusters.published(first), warm_start=True)
    assert len(warm["fit"]) <= 2
    assert inertia(warm) <= inertia(cold) * (1 + 1e-9)
    assert warm["quality"][0]["chosen_reason"] == "start centroids were given"


def test_iterations_are_told_and_recorded(clusters: Clusters) -> None:
    values, _ = blobs(18, 3, rows=200)
    load(clusters, points(values))
    _, rows = clusters.fit(k=3)
    # The starts move together, and then each batch of swaps: numbers from 300, ten a batch.
    longest: dict[int, int] = {}
    for row in rows["fit"]:
        batch = row["restart"] // 10 if row["restart"] >= 300 else 0
        longest[batch] = max(longest.get(batch, 0), row["iteration"])
    assert len(clusters.iterations) == sum(longest.values())
    for restart in {row["restart"] for row in rows["fit"]}:
        course = [row["inertia"] for row in rows["fit"] if row["restart"] == restart]
        assert all(later <= earlier * (1 + 1e-9) for earlier, later in itertools.pairwise(course))
    fit, _ = clusters.fit(k=3, init="random", seed=4, restarts=1, max_iterations=1, tolerance=0)
    assert fit.status == "MAX_ITER in 1"
    assert "MAX_ITER" in " ".join(fit.warnings)
