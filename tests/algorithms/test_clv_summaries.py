"""What the algorithm clv does with a customer summary: options, groups, data it is not made for."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from clv_fitting import Summaries, assert_finite, drawn

from seg_sql.algorithms.clv_models import BUYING
from seg_sql.errors import ModelError


def estimates(rows: dict[str, list[dict[str, Any]]], group: str = "all") -> dict[str, float]:
    return {
        f"{row['model']}.{row['parameter']}": row["estimate"]
        for row in rows["parameters"]
        if row["group_key"] == group and row["fit"] == "full"
    }


def assert_close(found: dict[str, float], wanted: dict[str, float], rel: float) -> None:
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert found[name] == pytest.approx(value, rel=rel), name


def test_a_summary_without_calibration_columns_has_no_holdout(summaries: Summaries) -> None:
    summaries.load(drawn(1))
    fit, rows = summaries.fit()
    assert fit.status.startswith("CONVERGED in ")
    assert (rows["holdout"], rows["metrics"], rows["exclusions"]) == ([], [], [])
    assert [text for text in fit.warnings if "no holdout" in text]
    assert {row["fit"] for row in rows["fit"]} == {"full"}
    scored = rows[""]
    assert len(scored) == 400
    assert_finite(scored)
    assert {row["monetary_value"] is None for row in scored if row["frequency"] == 0} == {True}
    # as_of of the fixture is 2026-01-01: 52 weeks after 2025-12-31.
    assert {row["horizon_end"] for row in scored} == {datetime.date(2026, 12, 30)}


def test_tenths_hold_a_tenth_each_and_follow_the_value(summaries: Summaries) -> None:
    summaries.load(drawn(2))
    rows = summaries.fit()[1][""]
    tenths = pd.DataFrame(rows).groupby("clv_decile")["clv"]
    # All values differ, so that each tenth has 40 of 400.
    assert tenths.size().to_dict() == dict.fromkeys(range(1, 11), 40)
    lowest, highest = tenths.min(), tenths.max()
    for tenth in range(1, 10):
        assert lowest[tenth] > highest[tenth + 1]


def test_a_likelihood_is_not_moved_by_customers_that_no_model_takes(summaries: Summaries) -> None:
    frame = drawn(3)
    summaries.load(frame)
    wanted = estimates(summaries.fit()[1])
    broken = pd.DataFrame(
        {
            "frequency": [None, 2, 1, 0],
            "recency": [1.0, 9.0, None, 3.0],
            "age": [5.0, 4.0, 5.0, 8.0],
            "monetary_value": [1.0, 2.0, 3.0, None],
        }
    )
    both = pd.concat([frame, broken], ignore_index=True)
    both["frequency"] = both["frequency"].astype("Int64")
    summaries.load(both)
    _, rows = summaries.fit()
    assert_close(estimates(rows), wanted, 1e-10)
    assert len(rows[""]) == 400
    assert sum(row["rows"] for row in rows["exclusions"]) == 4


def test_discounting_by_hand(summaries: Summaries) -> None:
    """Two periods: E[M] (Y1 / 1.1 + (Y2 - Y1) / 1.21), times the margin."""
    summaries.load(drawn(4, 50))
    for model, kind in BUYING.items():
        values = dict(zip(kind.parameters, (0.8, 6.0, 0.8, 2.5), strict=True))
        given = {("all", model): values, ("all", "gamma_gamma"): {"p": 5.0, "q": 4.0, "v": 12.0}}
        one, two = (summaries.score(given, model=model, horizon=h) for h in (1, 2))
        found = summaries.score(given, model=model, horizon=2, discount_rate=0.1, margin=0.3)
        for customer, row in found.items():
            first, both = one[customer]["expected_orders"], two[customer]["expected_orders"]
            worth = row["expected_order_value"] * (first / 1.1 + (both - first) / 1.21)
            assert row["clv"] == pytest.approx(0.3 * worth, rel=1e-8)
            assert row["expected_orders"] == pytest.approx(both, rel=1e-12)


# Groups.


def test_groups_are_fitted_as_if_each_were_alone(summaries: Summaries) -> None:
    north, south = drawn(5, cohort="north"), drawn(6, cohort="south")
    alone = {}
    for name, frame in (("north", north), ("south", south)):
        summaries.load(frame)
        alone[name] = estimates(summaries.fit()[1])
    nobody = drawn(7, 5, cohort="none").assign(frequency=0, recency=0.0, monetary_value=None)
    summaries.load(pd.concat([north, south, nobody], ignore_index=True))
    fit, rows = summaries.fit(group_by="cohort")
    for name, wanted in alone.items():
        assert_close(estimates(rows, name), wanted, 1e-8)
    # Nobody of the third group has bought again: said and counted, and the others are valued.
    assert [
        text
        for text in fit.warnings
        if "no repeat purchases among the 5 customers of 'none'" in text
    ]
    assert [(row["reason"], row["rows"]) for row in rows["exclusions"]] == [
        ("no repeat purchases in the group 'none'", 5)
    ]
    assert {row["group_key"] for row in rows[""]} == {"north", "south"}
    assert len(rows[""]) == 800


# The sample start, the cap, the methods.


def test_a_start_on_a_sample_ends_at_the_same_maximum(summaries: Summaries) -> None:
    summaries.load(drawn(8, 3000))
    _, plain = summaries.fit(sample_rows=0)
    _, sampled = summaries.fit(sample_rows=400)
    assert_close(estimates(sampled), estimates(plain), 1e-6)


def test_repeat_purchases_of_no_value_are_counted(summaries: Summaries) -> None:
    frame = drawn(9)
    repeaters = frame.index[frame["frequency"] > 0]
    frame.loc[repeaters[:3], "monetary_value"] = [0.0, -1.0, float("nan")]
    summaries.load(frame)
    _, rows = summaries.fit()
    assert [(row["reason"], row["rows"]) for row in rows["exclusions"]] == [
        ("repeat purchases of no value (left out of Gamma-Gamma only)", 3)
    ]


def test_value_cap_counts_what_it_caps(summaries: Summaries) -> None:
    frame = drawn(9)
    known = frame["monetary_value"].dropna()
    frame.loc[known.index[:3], "monetary_value"] = 1e6
    summaries.load(frame)
    _, rows = summaries.fit(value_cap=0.9)
    # Linear interpolation, as numpy's default; the capped lie above.
    cap = float(np.quantile(frame["monetary_value"].dropna(), 0.9))
    above = int((frame["monetary_value"] > cap).sum())
    assert estimates(rows)["gamma_gamma.value_cap"] == pytest.approx(cap, abs=1e-6)
    assert [row["rows"] for row in rows["exclusions"]] == [above]
    assert max(row["expected_order_value"] for row in rows[""]) <= cap
    assert max(row["monetary_value"] or 0 for row in rows[""]) == 1e6


def test_the_methods_without_a_model(summaries: Summaries) -> None:
    frame = pd.DataFrame(
        {
            "frequency": [0, 1, 3],
            "recency": [0.0, 10.0, 30.0],
            "age": [20.0, 40.0, 60.0],
            "monetary_value": [None, 8.0, 5.0],
        }
    )
    summaries.load(frame)
    _, rows = summaries.fit(method="average", margin=0.5)
    # The mean lifespan of repeat customers is 20: 8 * 1/40 * 20 and 5 * 3/60 * 20, by half.
    assert [row["clv"] for row in sorted(rows[""], key=lambda r: r["customer_id"])] == [
        0, pytest.approx(2), pytest.approx(2.5),
    ]  # fmt: skip
    _, rows = summaries.fit(method="historic")
    assert [row["clv"] for row in sorted(rows[""], key=lambda r: r["customer_id"])] == [0, 8, 15]
    assert {row["model"] for row in rows[""]} == {"historic"}
    assert rows["parameters"] == []


# Warnings.


def test_values_that_go_with_frequency_are_told(summaries: Summaries) -> None:
    frame = drawn(10)
    frame["monetary_value"] = frame["monetary_value"] * (1 + frame["frequency"])
    summaries.load(frame)
    fit, _ = summaries.fit()
    assert [text for text in fit.warnings if "correlate" in text and "group_by" in text]
    summaries.load(drawn(10))
    assert not [text for text in summaries.fit()[0].warnings if "correlate" in text]


@pytest.mark.parametrize(("regular", "told"), [(60, True), (40, False)])
def test_a_gap_variation_of_each_customer_tells_of_subscribers(
    summaries: Summaries, regular: int, told: bool
) -> None:
    """60 of 100 buy at intervals that vary by 0.1, the others by 1.2: their median is the 0.1."""
    variations = [0.1] * regular + [1.2] * (100 - regular) + [None] * 300
    summaries.load(drawn(13, gap_variation=variations))
    fit, _ = summaries.fit()
    said = [text for text in fit.warnings if "scheduled purchases" in text]
    assert len(said) == told
    assert all("variation 0.10" in text for text in said)


def test_values_without_a_mean_are_told_and_finite(summaries: Summaries) -> None:
    """Means so spread that q <= 1: repeat customers count with their own."""
    frame = drawn(11, 300)
    random = np.random.default_rng(12)
    # 1 / U has no finite mean.
    frame["monetary_value"] = np.where(
        frame["frequency"] > 0, 1 / random.uniform(size=300) ** 2, None
    )
    frame["monetary_value"] = frame["monetary_value"].astype(float)
    summaries.load(frame)
    fit, rows = summaries.fit()
    assert estimates(rows)["gamma_gamma.q"] <= 1
    assert [text for text in fit.warnings if "q = " in text and "value_cap" in text]
    assert_finite(rows[""])
    for row in rows[""]:
        if row["frequency"]:
            assert row["expected_order_value"] == pytest.approx(row["monetary_value"])


def test_a_fit_at_a_boundary_is_told_and_scores(summaries: Summaries) -> None:
    """Nobody ever leaves: everyone has just bought."""
    frame = drawn(13, 200)
    frame["frequency"] = frame["frequency"] + 1
    frame["recency"] = frame["age"]
    frame["monetary_value"] = 10.0 + frame.index % 7
    summaries.load(frame)
    fit, rows = summaries.fit()
    (row,) = [row for row in rows["fit"] if row["model"] == "mbg_nbd"]
    assert row["status"] == "boundary"
    assert [text for text in fit.warnings if "mbg_nbd ended at a boundary" in text]
    assert_finite(rows[""])
    assert min(row["p_alive"] for row in rows[""]) > 0.99
    errors = {row["std_error"] for row in rows["parameters"] if row["model"] == "mbg_nbd"}
    assert errors == {None}


def test_without_a_repeat_purchase_it_stops(summaries: Summaries) -> None:
    summaries.load(drawn(14, 20).assign(frequency=0, recency=0.0, monetary_value=None))
    with pytest.raises(ModelError, match="No repeat purchases"):
        summaries.fit()
