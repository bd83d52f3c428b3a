"""The notebook API: a project, and one-off calls on connections and tables."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy
import pandas
import pytest
from shop import Shop

import seg_sql
from seg_sql.errors import ConfigError, ModelError, SelectionError, StartError
from seg_sql.profiles import DuckDBTarget, PostgresTarget

# Twelve points around (0, 0) and six around (10, 10): which is which is plain to see.
POINTS = [(f"p{n:02}", (n % 4) * 0.1, (n // 4) * 0.1) for n in range(12)] + [
    (f"q{n}", 10 + n * 0.1, 10 - n * 0.1) for n in range(6)
]


def opened(target: Any) -> Any:
    """Return a driver's own connection, as a notebook has one."""
    if isinstance(target, DuckDBTarget):
        import duckdb

        return duckdb.connect(target.path)
    import psycopg

    return psycopg.connect(
        host=target.host,
        port=target.port,
        user=target.user,
        dbname=target.dbname,
        password=target.password.get_secret_value() if target.password else None,
    )


@pytest.fixture
def connection(target: DuckDBTarget | PostgresTarget) -> Iterator[Any]:
    made = opened(target)
    with made:
        made.execute("create temporary table points (id varchar, x float8, y float8)")
        for row in POINTS:
            made.execute(f"insert into points values ('{row[0]}', {row[1]}, {row[2]})")
        made.commit()
        yield made


def settings_of(connection: Any) -> list[Any]:
    names = ["TimeZone"]
    if "duckdb" in type(connection).__module__:
        names.append("errors_as_json")
    else:
        names += ["client_min_messages", "extra_float_digits"]
    read = [connection.execute(f"select current_setting('{name}')").fetchone() for name in names]
    connection.commit()
    return read


def relations(connection: Any, schema: str) -> set[str]:
    found = connection.execute(
        f"select table_name from information_schema.tables where table_schema = '{schema}'"
    ).fetchall()
    connection.commit()
    return {row[0] for row in found}


def test_importing_seg_sql_is_light():
    code = "import seg_sql, sys; print([m for m in ('pandas', 'duckdb', 'sqlglot', 'jinja2') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_project_builds_and_reads(shop: Shop):
    project = seg_sql.Project.load(shop.folder, profiles_dir=shop.folder)

    run = project.build("+rfm_segments")

    frame = run["rfm"].df()
    # By hand: days since the last purchase on 2026-04-01.
    recency = dict(zip(frame["customer_id"], frame["recency_days"], strict=True))
    assert recency == {"ann": 55, "bob": 31, "cid": 12, "dee": 4, "eve": 89}
    assert str(frame["last_order_date"].dtype).startswith("datetime64")
    assert "rfm_segments" in run.built
    assert "cross join cuts" in run["rfm"].sql
    assert "rfm: 5 rows" in run["rfm"]._repr_html_()
    assert "<th>model</th>" in run._repr_html_()
    assert len(project["rfm"].df()) == 5
    with pytest.raises(SelectionError, match="There is no table 'rmf'"):
        run["rmf"]


def test_a_build_that_fails_raises(shop: Shop):
    own = shop.folder / "sql" / "models"
    own.mkdir(parents=True)
    (own / "halves.sql").write_text("select 1 / cast(no_such_column as integer) as half\n")
    project = seg_sql.Project.load(shop.folder, profiles_dir=shop.folder)
    with pytest.raises(ModelError, match="no_such_column"):
        project.build("halves")


def test_kmeans_on_a_connection(connection: Any, target: Any):
    before = settings_of(connection)
    schema = target.schema_

    result = seg_sql.kmeans(
        connection, "select * from points", key="id", k=2, schema=schema, restarts=2
    )

    frame = result.assignments.df()
    clusters = frame.groupby(frame["id"].str[0])["cluster_id"].unique().map(list).to_dict()
    assert clusters == {"p": [1], "q": [2]}  # numbered by size
    centroids = result.centroids.df().set_index(["cluster_id", "feature"])["value"]
    means = pandas.DataFrame(POINTS, columns=["id", "x", "y"]).groupby(lambda i: 1 + (i >= 12))
    for cluster, rows in means:
        for feature in ("x", "y"):
            assert centroids[cluster, feature] == pytest.approx(
                rows[feature].mean(),
                abs=1e-8,  # of 10 digits in scaled units
            )
    assert result.quality.df()["k"].tolist() == [2]
    assert "18 rows" in result._repr_html_()
    # Two new points, scored with the fit: no new fit is made.
    new = result.predict("select 'a' as id, 0.5 as x, 0.5 as y union all select 'b', 9.0, 9.0")
    assert dict(zip(new.df()["id"], new.df()["cluster_id"], strict=True)) == {"a": 1, "b": 2}
    assert connection.execute(result.sql).fetchall()
    connection.commit()
    # The connection is as it was, and nothing but the tables is left.
    assert settings_of(connection) == before
    assert not [name for name in relations(connection, schema) if name.startswith("seg_tmp")]
    if "psycopg" in type(connection).__module__:
        assert connection.autocommit is False


def test_rfm_on_a_connection_agrees_with_the_project(shop: Shop):
    shop.build("+rfm_segments")
    expected = shop.rows("rfm")
    with opened(shop.target) as connection:
        result = seg_sql.rfm(
            connection,
            shop.raw("raw"),
            schema=f"{shop.target.schema_}_api",
            vars={"as_of": "2026-04-01"},
        )
        rows = result.assignments.df().sort_values("customer_id").to_dict("records")
        for ours, theirs in zip(rows, expected, strict=True):
            assert ours["rfm_code"] == theirs["rfm_code"]
            assert ours["segment"] == theirs["segment"]
            assert ours["monetary"] == theirs["monetary"]
        assert result.segments.df()["customers"].sum() == 5
        # Scored with the cut points of the fit: dee bought 4 days ago, and so did this one.
        new = result.predict(
            "select 'new' as customer_id, 4 as recency, 2 as frequency, 28.0 as monetary"
        ).df()
        dee = next(row for row in expected if row["customer_id"] == "dee")
        assert new["rfm_code"].tolist() == [dee["rfm_code"]]
        connection.execute(f'drop schema "{shop.target.schema_}_api" cascade')
        connection.commit()


def test_clv_and_item_similarity_on_a_connection(shop: Shop):
    schema = f"{shop.target.schema_}_api"
    with opened(shop.target) as connection:
        given = {"schema": schema, "vars": {"as_of": "2026-04-01"}}
        similar = seg_sql.item_similarity(
            connection,
            shop.raw("raw"),
            unit="customer",
            min_item_baskets=1,
            min_pair_baskets=1,
            **given,
        )
        # Tea: ann, bob, cid, dee (a guest is no customer); mug: ann, dee; pot: bob, eve.
        rows = similar.similar_items.df().set_index(["item_id", "similar_item_id"])
        assert rows.loc[("tea", "mug"), "pair_baskets"] == 2
        assert rows.loc[("tea", "pot"), "pair_baskets"] == 1
        assert ("mug", "pot") not in rows.index
        assert rows.loc[("mug", "tea"), "cosine"] == pytest.approx(2 / (2 * 4) ** 0.5)
        with pytest.raises(ConfigError, match="no fit to score other rows with"):
            similar.predict("select 1 as item_id")

        value = seg_sql.clv(connection, shop.raw("raw"), method="historic", **given)
        customers = value.customers.df().set_index("customer_id")
        assert customers["historic_value"].to_dict() == {
            "ann": 19.25, "bob": 43.5, "cid": 14.0, "dee": 28.0, "eve": 40.0
        }  # fmt: skip
        assert "5 rows" in value._repr_html_()
        connection.execute(f'drop schema "{schema}" cascade')
        connection.commit()


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow"])
def test_a_table_of_each_kind(kind: str):
    frame = pandas.DataFrame(
        {
            "customer": ["ann", "ann", "bob"],
            "day": pandas.to_datetime(["2026-01-01", "2026-01-11", "2026-01-21"]),
            "money": [10.0, 20.0, 5.5],
        }
    )
    if kind != "pandas":
        library: Any = pytest.importorskip("polars" if kind == "polars" else "pyarrow")
        frame = library.from_pandas(frame) if kind == "polars" else library.Table.from_pandas(frame)
    columns = {"customer_id": "customer", "ordered_at": "day", "amount": "money"}

    result = seg_sql.rfm(frame, columns=columns)

    found = result.assignments.df().set_index("customer_id")
    # as_of is the day after the last line, 2026-01-22.
    assert found["recency_days"].to_dict() == {"ann": 11, "bob": 1}
    assert found["monetary"].to_dict() == {"ann": 30.0, "bob": 5.5}
    assert found["frequency"].to_dict() == {"ann": 2, "bob": 1}


def test_kmeans_of_a_frame_agrees_with_scikit_learn():
    cluster = pytest.importorskip("sklearn.cluster")
    draws = numpy.random.default_rng(7)
    centers = numpy.array([[0, 0], [6, 0], [0, 6]])
    values = numpy.concatenate(
        [c + draws.normal(size=(50 - 10 * i, 2)) for i, c in enumerate(centers)]
    )
    frame = pandas.DataFrame(values, columns=["x", "y"]).assign(customer_id=range(len(values)))

    ours = seg_sql.kmeans(frame, k=3, scaling="none", restarts=3)

    theirs = cluster.KMeans(3, n_init=10, random_state=0, tol=1e-10).fit(values)
    assert ours.quality.df()["inertia"].item() == pytest.approx(theirs.inertia_, rel=1e-8)


def test_a_transaction_is_not_disturbed(connection: Any):
    connection.execute("begin")
    connection.execute("delete from points")
    with pytest.raises(StartError, match="The connection is in a transaction"):
        seg_sql.kmeans(connection, "points", key="id", k=2)
    connection.rollback()
    assert connection.execute("select count(*) from points").fetchone() == (18,)


def test_errors_say_what_to_do(connection: Any, target: Any):
    with pytest.raises(ConfigError, match="It is not said what to read"):
        seg_sql.rfm(connection)
    with pytest.raises(StartError, match="list is no table that DuckDB can read"):
        seg_sql.rfm([1, 2])
    with pytest.raises(ConfigError, match="no option 'binz'"):
        seg_sql.rfm(connection, "points", schema=target.schema_, binz=3)
    before = settings_of(connection)
    with pytest.raises(ConfigError, match="no_such_table"):
        seg_sql.rfm(connection, "no_such_table", schema=target.schema_)
    with pytest.raises(ModelError, match="only 18 rows differ in their features"):
        seg_sql.kmeans(connection, "points", key="id", k=50, schema=target.schema_)
    assert settings_of(connection) == before
    assert not relations(connection, target.schema_) - {"seg_sql_runs", "seg_sql_run_parameters"}
