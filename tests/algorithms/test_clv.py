"""What the model clv does from order lines to a build: options, the last fit, odd shops."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clv_fitting import assert_finite, drawn
from shop import COLUMNS, Shop, by

from seg_sql import compiling, explain
from seg_sql.errors import ConfigError
from seg_sql.events import Said
from seg_sql.profiles import DuckDBTarget, PostgresTarget
from seg_sql.session import Settings
from seg_sql.step import Steps


def orders(seed: int, customers: int = 250) -> list[tuple[Any, ...]]:
    """Draw order lines of 2024 and 2025 from drawn customers."""
    random = np.random.default_rng(seed)
    end = datetime.date(2025, 12, 31)
    lines: list[tuple[Any, ...]] = []
    for number, row in enumerate(drawn(seed, customers).itertuples(index=False)):
        start = end - datetime.timedelta(days=round(row.age * 7))
        between = sorted(random.uniform(0, row.recency, max(row.frequency - 1, 0)))
        for place, at in enumerate([0.0, *between, row.recency][: row.frequency + 1]):
            day = start + datetime.timedelta(days=round(at * 7))
            mean = row.monetary_value if row.frequency else 9.0
            price = round(mean * float(random.uniform(0.5, 1.5)), 2)
            name = f"c{number:03d}"
            lines.append((name, f"{name}-{place}", f"{day} 10:00:00", "mug", 1, price))
    return lines


def write(shop: Shop, *, as_of: str = "2026-01-01", **options: Any) -> None:
    shop.write(vars={"as_of": as_of}, models={"clv": options})


def warned(shop: Shop) -> list[str]:
    return [each.text for each in shop.log.of(Said) if each.level == "warn"]


def test_auto_takes_the_model_of_least_error_in_the_holdout(shop: Shop) -> None:
    shop.load(orders(21))
    write(shop, model="auto")
    shop.build("+clv")
    errors = {
        row["model"]: row["value"] for row in shop.rows("clv_metrics") if row["metric"] == "rmse"
    }
    assert set(errors) == {"mbg_nbd", "bg_nbd", "pareto_nbd"}
    best = min(errors, key=lambda name: errors[name])
    assert {row["model"] for row in shop.rows("clv")} == {best}
    chosen = {row["model"] for row in shop.rows("clv_fit") if row["chosen"]}
    assert chosen == {best, "gamma_gamma"}
    assert {row["model"] for row in shop.rows("clv_holdout")} == set(errors)


def test_group_by_an_attribute_of_the_order_lines(shop: Shop) -> None:
    """The packaged model knows them; what group_by names and nothing knows is an error."""
    lines = [(*line, "UK" if int(line[0][1:]) % 3 else "FR") for line in orders(29)]
    shop.load(lines, (*COLUMNS, "country"))
    inputs = {"order_lines": {"relation": shop.raw("raw"), "attributes": ["country"]}}
    for group, said in (("country", ""), ("county", "Name 'county' in"), ("Country", "'country'?")):
        shop.write(inputs=inputs, vars={"as_of": "2026-01-01"}, models={"clv": {"group_by": group}})
        assert shop.run("build", "+clv") == (1 if said else 0), shop.said()
        assert said in shop.said()
        assert ("has no column" in shop.said()) == bool(said)
    found = {row["customer_id"]: row["group_key"] for row in shop.rows("clv")}
    assert found == {line[0]: line[-1] for line in lines}
    assert {row["group_key"] for row in shop.rows("clv_metrics")} == {"UK", "FR"}


@pytest.mark.parametrize(
    ("models", "kind"),
    [
        ({}, "view"),
        ({"clv": {"group_by": "country"}}, "table"),
        ({"clv_customer_summary": {"materialized": "view"}}, "table"),
    ],
)
def test_what_is_computed_anew_in_every_statement_is_copied_once(
    duckdb_shop: Shop, monkeypatch: pytest.MonkeyPatch, models: dict[str, Any], kind: str
) -> None:
    """Columns of tables are read in place; attributes of lines and a summary that is a view not."""
    made: list[str] = []
    table = Steps.table

    def watched(self: Steps, select: str, **options: Any) -> str:
        if self.model == "clv":
            made.append(options.get("kind", "table"))
        return table(self, select, **options)

    monkeypatch.setattr(Steps, "table", watched)
    duckdb_shop.load([(*line, "UK") for line in orders(29, 60)], (*COLUMNS, "country"))
    lines = {"relation": duckdb_shop.raw("raw"), "attributes": ["country"]}
    duckdb_shop.write(inputs={"order_lines": lines}, vars={"as_of": "2026-01-01"}, models=models)
    duckdb_shop.run("build", "+clv")
    assert made[0] == kind


def test_the_holdout_adds_up_to_the_summary(shop: Shop) -> None:
    shop.load(orders(22))
    write(shop)
    shop.build("+clv")
    summary = [
        row for row in shop.rows("clv_customer_summary") if row["calibration_frequency"] is not None
    ]
    bins = by(shop.rows("clv_holdout", order="3"), "frequency")
    assert max(bins) <= 7
    for x, row in bins.items():
        mine = [each for each in summary if min(each["calibration_frequency"], 7) == x]
        assert row["customers"] == len(mine)
        assert row["actual_orders"] == sum(each["holdout_frequency"] for each in mine)
        assert row["actual_value"] == pytest.approx(sum(each["holdout_value"] for each in mine))
        length = (datetime.date(2025, 12, 31) - summary[0]["calibration_end"]).days / 7
        rates = [
            each["last_period_frequency"] * length / max(min(each["calibration_age"], length), 1)
            for each in mine
        ]
        assert row["baseline_orders"] == pytest.approx(sum(rates))
    metrics = by(shop.rows("clv_metrics"), "metric")
    assert set(metrics) == {"mae", "rmse", "bias", "top_decile_revenue_share"}
    bias = sum(row["expected_orders"] - row["actual_orders"] for row in bins.values())
    assert metrics["bias"]["value"] == pytest.approx(bias / len(summary))
    assert 0 < metrics["top_decile_revenue_share"]["value"] <= 1
    # What is expected stands beside what came.
    said = [each.text for each in shop.log.of(Said)]
    assert [
        text for text in said if "orders are expected in the next 52 weeks; the last 52" in text
    ]


def test_a_summary_of_another_horizon_is_told(shop: Shop) -> None:
    """The orders of the last 52 weeks are not those that 26 weeks to come are compared with."""
    shop.load(orders(23))
    write(shop)
    shop.build("+clv")
    write(shop, horizon=26)
    shop.build("clv")
    assert (
        "clv reads clv_customer_summary, which was built with clv's horizon 52 and not 26."
    ) in shop.said()
    shop.build("+clv")
    assert "was built with" not in shop.said()


def test_refit_never_keeps_the_parameters_and_scores_todays_customers(shop: Shop) -> None:
    lines = orders(23)
    shop.load(lines)
    write(shop, as_of="2025-11-01", refit="never")
    shop.build("+clv")
    before = shop.rows("clv_parameters", order="1, 2, 3, 4")
    write(shop, refit="never")
    shop.build("+clv")
    assert shop.rows("clv_parameters", order="1, 2, 3, 4") == before
    rows = shop.rows("clv")
    assert {row["fitted_as_of"] for row in rows} == {datetime.date(2025, 11, 1)}
    assert {row["as_of"] for row in rows} == {datetime.date(2026, 1, 1)}
    assert len(rows) == len({line[0] for line in lines})
    assert "keeps its fit" not in shop.said()
    write(shop, refit="never", model="bg_nbd", horizon=26, discount_rate=0.001)
    shop.build("+clv")
    assert "other options: model (fitted with mbg_nbd, now bg_nbd)." in shop.said()
    write(shop, refit="never")
    shop.build("clv", full_refresh=True)
    assert {row["fitted_as_of"] for row in shop.rows("clv")} == {datetime.date(2026, 1, 1)}
    assert shop.rows("clv_parameters", order="1, 2, 3, 4") != before


def test_subscriptions_and_a_single_great_customer_are_told(shop: Shop) -> None:
    """Every 28 days for most; one of 120 customers holds more than half the value."""
    lines = []
    for number in range(120):
        for place in range(6 + number % 3 if number % 10 else 1):
            day = datetime.date(2025, 1, 1 + number % 20) + datetime.timedelta(days=28 * place)
            price = 9000.0 if number == 11 else 5.0 + (number * 7 + place) % 5
            name = f"c{number}"
            lines.append((name, f"{name}-{place}", f"{day} 10:00:00", "mug", 1, price))
    shop.load(lines)
    write(shop)
    shop.build("+clv")
    said = " ".join(warned(shop))
    assert "scheduled purchases" in said and "customer_lifecycle" in said
    assert "of 120 customers hold" in said and "value_cap: 0.99" in said
    assert_finite(shop.rows("clv"))


def test_a_shop_of_under_26_weeks_is_valued_and_told(shop: Shop) -> None:
    lines = [line for line in orders(24) if line[2] >= "2025-08"]
    shop.load(lines)
    write(shop)
    shop.build("+clv")
    (text,) = [text for text in warned(shop) if "no holdout" in text]
    assert "26 weeks" in text and "calibration_end" in text
    assert shop.rows("clv_holdout") == []
    assert_finite(shop.rows("clv"))


def test_without_a_holdout_customers_are_valued_alike(shop: Shop) -> None:
    shop.load(orders(24))
    write(shop)
    shop.build("+clv")
    with_holdout = shop.rows("clv")
    fits = [row for row in shop.rows("clv_fit") if row["fit"] == "full"]
    write(shop, holdout=False)
    shop.build("+clv")
    assert not [text for text in warned(shop) if "holdout" in text]
    assert shop.rows("clv_holdout") == shop.rows("clv_metrics") == []
    assert [row["model"] for row in shop.rows("clv_fit")] == [row["model"] for row in fits]
    for row, other in zip(shop.rows("clv"), with_holdout, strict=True):
        assert row.keys() == other.keys()
        for name, value in row.items():
            # Sums of the likelihood come in another order.
            close = isinstance(value, float)
            assert value == (pytest.approx(other[name], rel=1e-6) if close else other[name]), name
    summary = shop.rows("clv_customer_summary")
    assert {row["calibration_frequency"] for row in summary} == {None}
    assert {row["holdout_value"] for row in summary} == {None}


def test_a_discount_rate_of_a_year_is_told(shop: Shop) -> None:
    shop.load(orders(24))
    write(shop, discount_rate=0.1)
    shop.build("+clv")
    # 1.1 ** (365.25 / 7) - 1 = 143.48, and 1.1 ** (7 / 365.25) - 1 = 0.0018283.
    (text,) = [text for text in warned(shop) if "discount_rate" in text]
    assert "14,348% a year" in text and "10% a year are 0.00183" in text


def test_a_calibration_end_without_a_holdout_is_an_error(shop: Shop) -> None:
    shop.load(orders(25, 60))
    write(shop, holdout=False, calibration_end="2025-06-30")
    with pytest.raises(ConfigError, match="calibration_end is where the holdout begins"):
        shop.run("build", "+clv")


def test_a_calibration_end_outside_the_data_is_an_error(shop: Shop) -> None:
    shop.load(orders(25, 60))
    write(shop, calibration_end="2027-01-01")
    assert shop.run("build", "+clv") == 1
    assert "calibration_end 2027-01-01" in shop.said()
    assert "not within the observed days, which end on 2025-12-31" in shop.said()


def test_a_fit_as_plain_sql_gives_the_published_rows(shop: Shop) -> None:
    """What `compile --score` prints, run by hand."""
    shop.load(orders(28, 100))
    write(shop, model="pareto_nbd", group_by=[])
    shop.build("+clv")
    settings = Settings(project_dir=shop.folder, profiles_dir=shop.folder)
    select = compiling.scoring_sql(settings, "clv")
    with shop.engine() as engine:
        rows = engine.fetch(f"select * from ({select}) as scored order by 1").dicts()
    for row, published in zip(rows, shop.rows("clv", order="1"), strict=True):
        assert row.keys() == published.keys()
        for name, value in row.items():
            if isinstance(value, float):
                assert value == pytest.approx(published[name], rel=1e-9), name
            else:
                assert value == published[name], name


def test_explain_says_what_a_customer_is_worth(shop: Shop) -> None:
    shop.load(orders(26))
    write(shop)
    shop.build("+clv", "+customer_lifecycle")
    row = max(shop.rows("clv"), key=lambda each: each["frequency"])
    settings = Settings(project_dir=shop.folder, profiles_dir=shop.folder)
    text = " ".join(" ".join(explain.customer(settings, row["customer_id"], lines=1)).split())
    assert f"{row['clv']:,.2f}" in text
    assert f"in tenth {row['clv_decile']} of the customers" in text
    assert f"{row['frequency']:,} repeat purchases" in text
    assert f"{row['expected_orders']:,.2f} orders expected" in text
    assert "Model mbg_nbd" in text
    # The mean of Gamma-Gamma, p v / (q - 1) (Fader and Hardie 2013).
    p, q, v = (
        next(
            each["estimate"]
            for each in shop.rows("clv_parameters")
            if (each["model"], each["fit"], each["parameter"]) == ("gamma_gamma", "full", name)
        )
        for name in "pqv"
    )
    assert (
        f"(between the own mean of {row['monetary_value']:,.2f} and everyone's of"
        f" {p * v / (q - 1):,.2f})"
    ) in text


def test_both_engines_give_the_same(tmp_path: Path, postgres_dsn: str) -> None:
    """Parameters to 1e-8, scores to 1e-7 of them; the choice and the tenths alike."""
    from psycopg.conninfo import conninfo_to_dict

    known = {"host", "port", "user", "password", "dbname"}
    server = {k: v for k, v in conninfo_to_dict(postgres_dsn).items() if k in known}
    lines = orders(27)
    found = []
    for name, target in (
        ("duckdb", DuckDBTarget(path=str(tmp_path / "shop.duckdb"))),
        ("postgres", PostgresTarget(schema="clv_twins", **server)),
    ):
        shop = Shop(tmp_path / name, target)
        shop.load(lines)
        write(shop, discount_rate=0.002)
        shop.build("+clv")
        found.append(
            {
                output: shop.rows(output, order="1, 2, 3, 4")
                for output in ("clv_parameters", "clv_fit", "clv_holdout", "clv_metrics")
            }
            | {"clv": shop.rows("clv")}
        )
    one, other = found
    for output, rows in one.items():
        assert len(rows) == len(other[output])
        for row, twin in zip(rows, other[output], strict=True):
            for column, value in row.items():
                if isinstance(value, float):
                    assert value == pytest.approx(twin[column], rel=1e-7, abs=1e-9), (
                        output,
                        column,
                    )
                else:
                    assert value == twin[column], (output, column)
    for row, twin in zip(one["clv_parameters"], other["clv_parameters"], strict=True):
        assert row["estimate"] == pytest.approx(twin["estimate"], rel=1e-8)
