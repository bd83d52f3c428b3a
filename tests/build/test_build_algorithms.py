"""Algorithm models in a build: outputs, names, options, tests, publishing, scoring."""

from __future__ import annotations

from typing import Any

import pytest
from build_shop import BuildShop

from seg_sql import compiling, showing
from seg_sql.errors import ConfigError, ParseError, SegSqlError
from seg_sql.events import NodeFinished, Said
from seg_sql.inputs import Limits
from seg_sql.session import Settings
from seg_sql.step import Steps

OUTPUTS = ("features", "centroids", "profile", "quality", "fit", "matches", "exclusions")

# Two clouds of points that nobody could part otherwise, and one point without a y.
POINTS = [
    ("a", 0.0, 0.0), ("b", 0.0, 1.0), ("c", 1.0, 0.0), ("d", 1.0, 1.0),
    ("e", 10.0, 10.0), ("f", 10.0, 11.0), ("g", 11.0, 10.0), ("h", 5.0, None),
]  # fmt: skip

MODEL = """
    {{ config(materialized='kmeans', unique_key='id', k=2, scaling='none', restarts=3) }}
    select id, x, y from {{ input('points') }} as points
"""


@pytest.fixture
def points(shop: BuildShop) -> BuildShop:
    shop.load(
        POINTS,
        ("id", "x", "y"),
        name="points",
        types={"x": "double precision", "y": "double precision"},
    )
    shop.write(inputs={"points": {"relation": shop.raw("points")}})
    shop.model("clouds", MODEL)
    return shop


def test_a_four_line_model_publishes_all_outputs(points: BuildShop) -> None:
    points.build("clouds")
    rows = {row["id"]: row for row in points.rows("clouds")}
    # By hand: the larger cloud, a to d, is number 1; its centroid is (0.5, 0.5).
    assert {name: row["cluster_id"] for name, row in rows.items()} == {
        "a": 1, "b": 1, "c": 1, "d": 1, "e": 2, "f": 2, "g": 2,
    }  # fmt: skip
    assert rows["a"]["distance"] == pytest.approx(0.5**0.5)
    centroids = {
        (row["cluster_id"], row["feature"]): row["value"] for row in points.rows("clouds_centroids")
    }
    assert centroids == {
        (1, "x"): pytest.approx(0.5),
        (1, "y"): pytest.approx(0.5),
        (2, "x"): pytest.approx(31 / 3),
        (2, "y"): pytest.approx(31 / 3),
    }
    assert [row["rows"] for row in points.rows("clouds_exclusions")] == [1]
    with points.engine() as engine:
        existing = engine.existing()
        for output in OUTPUTS:
            assert existing[f"clouds_{output}"].comment.endswith(f"seg-sql:shop:clouds_{output}")
        assert not [name for name in existing if name.startswith("seg_tmp_")]
    [node] = points.log.of(NodeFinished)
    assert (node.kind, node.rows) == ("kmeans", 7)
    parameters = {
        (row["model"], row["parameter"]): row["value"]
        for row in points.rows("seg_sql_run_parameters")
    }
    assert parameters["clouds", "k"] == "2"


@pytest.mark.parametrize(
    ("select", "kind"),
    [
        ("select id, x, y from {{ input('points') }} as points", "view"),
        (
            "with p as (select * from {{ input('points') }} as points) select id, x, y as z from p",
            "view",
        ),
        ("select id, x, y * 2 as y from {{ input('points') }} as points", "table"),
        ("select id, x, y from {{ input('points') }} as p where x > -1", "table"),
        ("select distinct id, x, y from {{ input('points') }} as p", "table"),
        ("select id, x, y from {{ input('points') }} as p order by id limit 7", "table"),
        ("select id, x, y from {{ ref('seen') }} as p", "table"),
    ],
)
def test_a_table_is_read_where_it_is(
    points: BuildShop, monkeypatch: pytest.MonkeyPatch, select: str, kind: str
) -> None:
    """What is more than columns of one table is computed once, as a work table."""
    made: list[str] = []
    table = Steps.table

    def watched(self: Steps, select: str, **options: Any) -> str:
        if self.model == "clouds":
            made.append(options.get("kind", "table"))
        return table(self, select, **options)

    monkeypatch.setattr(Steps, "table", watched)
    points.model(
        "seen", "{{ config(materialized='view') }} select * from {{ input('points') }} as points"
    )
    config = MODEL[: MODEL.index("select")]
    points.model("clouds", config + select)
    points.build("+clouds")
    assert made[0] == kind
    assert len(points.rows("clouds")) == 7
    assert points.hidden() == []


def test_an_input_without_a_name(points: BuildShop) -> None:
    """It is fine but before PostgreSQL 16, where the error says what to write."""
    points.model("plain", "select id from {{ input('points') }}")
    code = points.run("build", "plain")
    assert code == 0 or "an input() or ephemeral model needs a name" in points.said()


def test_outputs_are_referred_to_and_selected_by_name(points: BuildShop) -> None:
    points.model("sizes", "select cluster_id, customers from {{ ref('clouds_profile') }} as p")
    points.build("+sizes")
    assert {row["customers"] for row in points.rows("sizes")} == {3, 4}
    points.build("clouds_profile")
    assert [event.name for event in points.log.of(NodeFinished)] == ["clouds"]


def test_a_clash_of_names_is_an_error(points: BuildShop) -> None:
    points.model("clouds_profile", "select 1 as one")
    with pytest.raises(ParseError, match="clouds publishes clouds_profile as well"):
        points.run("build", "clouds")


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        (MODEL.replace("restarts", "restart"), "restart", "restarts"),
        (MODEL.replace("k=2", "k=1"), "k", ""),
        (MODEL.replace("'kmeans'", "'kmean'"), "did you mean 'kmeans'", ""),
    ],
)
def test_options_are_checked_in_the_model(
    points: BuildShop, text: str, said: str, hint: str
) -> None:
    points.model("clouds", text)
    with pytest.raises(ConfigError) as caught:
        points.run("build", "clouds")
    assert said in str(caught.value)
    assert hint in str(caught.value.hint or "")
    assert str(caught.value.where).startswith("sql/models/clouds.sql")


def test_options_of_the_project_win(points: BuildShop) -> None:
    project: dict[str, Any] = {"inputs": {"points": {"relation": points.raw("points")}}}
    points.write(**project, models={"clouds": {"k": 3}})
    points.build("clouds")
    assert {row["cluster_id"] for row in points.rows("clouds")} == {1, 2, 3}
    points.write(**project, models={"clouds": {"kk": 3}})
    with pytest.raises(ConfigError, match=r"models\.clouds\.kk") as caught:
        points.run("build", "clouds")
    assert "seg_sql.yml:" in str(caught.value.where)


def test_a_failing_test_publishes_none_of_the_outputs(points: BuildShop) -> None:
    points.build("clouds")
    points.singular("no_clouds", "select id from {{ ref('clouds') }} where cluster_id = 2")
    points.write(inputs={"points": {"relation": points.raw("points")}}, models={"clouds": {"k": 3}})
    assert points.run("build", "clouds") == 1
    assert {row["cluster_id"] for row in points.rows("clouds")} == {1, 2}
    assert {row["k"] for row in points.rows("clouds_quality")} == {2}


def test_published_together_with_what_reads_it(points: BuildShop) -> None:
    points.write(inputs={"points": {"relation": points.raw("points")}}, publish="together")
    points.model("sizes", "select cluster_id, customers from {{ ref('clouds_profile') }} as p")
    points.build("+sizes")
    assert {row["customers"] for row in points.rows("sizes")} == {3, 4}


def test_empty_makes_every_output_without_a_row(points: BuildShop) -> None:
    points.build("clouds", limits=Limits(empty=True))
    for output in ("clouds", *(f"clouds_{each}" for each in OUTPUTS)):
        assert points.rows(output) == []


def test_refit_never_scores_with_the_published_centroids(points: BuildShop) -> None:
    project: dict[str, Any] = {"inputs": {"points": {"relation": points.raw("points")}}}
    points.write(**project, models={"clouds": {"refit": "never"}})
    points.build("clouds")
    before = points.rows("clouds_centroids")
    # Ten more far points would move a centroid, and make theirs the larger cloud.
    for number in range(10):
        points.execute(f"insert into {points.raw('points')} values ('n{number}', 12, 12)")
    points.build("clouds")
    assert points.rows("clouds_centroids") == before
    rows = {row["id"]: row["cluster_id"] for row in points.rows("clouds")}
    assert (rows["a"], rows["n1"]) == (1, 2)
    points.build("clouds", full_refresh=True)
    assert points.rows("clouds_centroids") != before


def test_a_fit_that_is_kept_tells_of_options_that_do_not_count(points: BuildShop) -> None:
    """Also in the second build after the change; what the fit was made with is k = 2 and none."""
    project: dict[str, Any] = {"inputs": {"points": {"relation": points.raw("points")}}}
    points.write(**project, models={"clouds": {"refit": "never"}})
    points.build("clouds")
    options = {"refit": "never", "transform": "log1p", "min_stability": 0.5}
    points.write(**project, models={"clouds": options})
    for _ in range(2):
        points.build("clouds")
        [said] = [each for each in points.log.of(Said) if each.level == "warn"]
        assert said.text == (
            "clouds keeps its fit (refit: never), which was made with other options: transform.*"
            " (fitted with none, now log1p), min_stability (fitted with 0.8, now 0.5)."
        )
        assert said.hint == "`seg-sql build -s +clouds --full-refresh` fits anew."
    points.build("clouds", full_refresh=True)
    points.build("clouds")
    assert [each for each in points.log.of(Said) if each.level == "warn"] == []


def test_a_fit_that_is_kept_tells_of_other_features(points: BuildShop) -> None:
    project: dict[str, Any] = {"inputs": {"points": {"relation": points.raw("points")}}}
    points.write(**project, models={"clouds": {"refit": "never"}})
    points.build("clouds")
    points.write(**project, models={"clouds": {"refit": "never", "features": ["x"]}})
    points.build("clouds")
    assert (
        "the fit that is kept has other features than are asked for now (y): fit anew with"
        " `seg-sql build -s +clouds --full-refresh`"
    ) in points.said()
    model = points.folder / "sql" / "models" / "clouds.sql"
    points.write(**project, models={"clouds": {"refit": "never"}})
    model.write_text(model.read_text().replace(", y", ", y as z"))
    assert points.run("build", "clouds") == 1
    assert (
        "The fit that is kept knows the feature y, and the rows of today do not." in points.said()
    )


def test_the_scoring_select_runs_by_hand_and_gives_the_same(points: BuildShop) -> None:
    points.build("clouds")
    sql = compiling.scoring_sql(
        Settings(project_dir=points.folder, profiles_dir=points.folder), "clouds"
    )
    assert "seg_tmp_" not in sql
    with points.engine() as engine:
        scored = {row["id"]: row["cluster_id"] for row in engine.fetch(sql).dicts()}
        engine.execute(f"create view {engine.relation('scored')} as {sql}")
        count = engine.fetch(f"select count(*) from {engine.relation('scored')}").rows[0][0]
    assert scored == {row["id"]: row["cluster_id"] for row in points.rows("clouds")}
    assert count == 7


def test_scoring_says_what_is_missing(points: BuildShop) -> None:
    settings = Settings(project_dir=points.folder, profiles_dir=points.folder)

    def said(name: str) -> str:
        with pytest.raises(SegSqlError) as error:
            compiling.scoring_sql(settings, name)
        return str(error.value)

    assert "clouds is not built in" in said("clouds")
    points.model("near", "select id, x, y from {{ ref('far') }} as far")
    points.model("far", "select id, x, y from {{ input('points') }} as points")
    points.model("clouds", MODEL.replace("input('points')", "ref('near')"))
    points.build("+clouds")
    assert "'near' has no fit to score with." in said("near")
    points.execute(f"drop table {points.schema_}.near")
    assert "clouds reads near, which is not built in" in said("clouds")
    points.load(POINTS, ("id", "x", "y"), name="other", types={"x": "integer", "y": "integer"})
    raw = f"source('{points.target.schema_}', 'raw_other')"
    points.model("clouds", MODEL.replace("input('points')", raw))
    points.build("clouds")
    points.execute(f"drop table {points.raw('other')}")
    assert "sql/models/clouds.sql: The rows of clouds cannot be read:" in said("clouds")


def test_show_prints_an_output(points: BuildShop) -> None:
    points.build("clouds")
    settings = Settings(project_dir=points.folder, profiles_dir=points.folder)
    found = showing.show(settings, "clouds_quality", inline=None, limit=5)
    assert found.rows.columns[:2] == ("group_key", "k")
    assert found.total == 1
