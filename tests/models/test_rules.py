"""RFM by its rules, against a second implementation written from REFERENCE.md section 2."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rfm_orders import FIRST, MEASURES, SCORES, cut_points, load, write_map
from shop import Shop, by

from seg_sql.profiles import DuckDBTarget


def expected_rfm(
    lines: Sequence[tuple[str, str, datetime.date, float]],
    as_of: datetime.date,
    options: Mapping[str, Any],
) -> tuple[pd.DataFrame, dict[str, list[float]]]:
    """Return the values and scores of each customer, and the cut points."""
    frame = pd.DataFrame(lines, columns=["customer", "order", "day", "amount"])
    orders = frame.groupby(["customer", "order"]).agg(
        amount=("amount", "sum"), smallest=("amount", "min"), day=("day", "min")
    )
    orders["amount"] = orders["amount"].round(6)
    orders = orders.reset_index()
    if window := options.get("window"):
        orders = orders[orders["day"] >= as_of - datetime.timedelta(days=window)]
    bought = orders[(orders["smallest"] >= 0) | (orders["amount"] > 0)].groupby("customer")
    values = pd.DataFrame(
        {
            "recency": bought["day"].max().map(lambda day: (as_of - day).days),
            "frequency": bought.size(),
            "monetary": orders.groupby("customer")["amount"].sum().round(6),
        }
    ).dropna()
    cuts: dict[str, list[float]] = {}
    for measure in MEASURES:
        fixed = options["cut_points"].get(measure)
        bins = len(fixed) + 1 if fixed else options["bins"][measure]
        column = values[measure]
        if options["ties"][measure] == "ntile":
            worst_first = sorted(
                values.index,
                key=lambda customer: (
                    column[customer] * (-1 if measure == "recency" else 1),
                    customer.encode(),
                ),
            )
            values[SCORES[measure]] = pd.Series(
                dict(zip(worst_first, _tiles(len(column), bins), strict=True))
            )
            continue
        points = fixed or [round(float(column.quantile(i / bins)), 6) for i in range(1, bins)]
        cuts[measure] = points
        left = options["boundary"] == "left"
        below = sum((column >= p if left else column > p).astype(int) for p in points)
        values[SCORES[measure]] = bins - below if measure == "recency" else 1 + below
    return values, cuts


def _tiles(count: int, bins: int) -> Iterator[int]:
    """Yield the number of each row's group; the first groups hold one row more."""
    for tile in range(bins):
        size = count // bins + (1 if tile < count % bins else 0)
        yield from itertools.repeat(tile + 1, size)


bins = st.integers(2, 9)
one_per_measure = {
    "bins": st.fixed_dictionaries(dict.fromkeys(MEASURES, bins)),
    "ties": st.fixed_dictionaries(
        dict.fromkeys(MEASURES, st.sampled_from(["value", "value", "ntile"]))
    ),
}
points = st.one_of(
    st.none(),
    st.lists(
        st.sampled_from([1, 2, 2.5, 3, 5, 10, 10.01, 20]), min_size=1, max_size=8, unique=True
    ),
).map(lambda values: sorted(values) if values else None)
all_options = st.fixed_dictionaries(
    {
        **one_per_measure,
        "boundary": st.sampled_from(["right", "left"]),
        "cut_points": st.fixed_dictionaries(dict.fromkeys(MEASURES, points)),
        "window": st.sampled_from([None, None, 20]),
    }
)
lines_of_orders = st.lists(
    st.tuples(
        st.sampled_from(["a", "B", "ä", "Z", "10", "9", "c", "d", "e"]),
        st.sampled_from([str(number) for number in range(12)]),
        st.integers(0, 29).map(lambda days: FIRST + datetime.timedelta(days=days)),
        st.sampled_from([5.0, 5.0, 10.0, 10.01, 0.1, 0.2, 0.0, -5.0, -0.3, 19.99]),
    ),
    min_size=1,
    max_size=60,
)


@pytest.fixture(scope="module")
def rules_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("rules")
    shop = Shop(folder / "project", DuckDBTarget(path=str(folder / "rules.duckdb")))
    write_map(shop, "mine", [("", "", "", "Everybody", 1)])
    return shop


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lines=lines_of_orders, options=all_options)
def test_rfm_by_a_second_implementation(
    rules_shop: Shop, lines: list[tuple[Any, ...]], options: dict[str, Any]
) -> None:
    """Type 7 quantiles or fixed cut points, 2 to 9 scores, ties by value or key, both boundaries.

    And each value lies in the published interval of its score, whose customers add up.
    """
    lines = [*lines, ("a", "x", FIRST + datetime.timedelta(days=29), 5.0)]  # somebody buys
    for measure, fixed in options["cut_points"].items():
        if fixed:
            options["ties"][measure] = "value"
    as_of = FIRST + datetime.timedelta(days=31)
    load(rules_shop, lines)
    rules_shop.write(
        vars={"as_of": as_of.isoformat()}, models={"rfm": {**options, "segment_map": "mine"}}
    )
    assert rules_shop.run("run", "+rfm") == 0, rules_shop.said()

    values, cuts = expected_rfm(lines, as_of, options)
    rows = by(rules_shop.rows("rfm"), "customer_id")
    assert rows.keys() == set(values.index)
    published = cut_points(rules_shop)
    found: dict[tuple[str, int], int] = dict.fromkeys(published, 0)
    for customer, row in rows.items():
        ours = {"recency": row["recency_days"], **{m: row[m] for m in MEASURES[1:]}}
        assert row["rfm_code"] == "".join(str(row[score]) for score in SCORES.values())
        for measure, score in SCORES.items():
            value = ours[measure]
            assert value == pytest.approx(values.loc[customer, measure], abs=1e-9)
            assert row[score] == values.loc[customer, score], (customer, measure)
            interval = published[measure, row[score]]
            lower, upper = interval["lower_bound"], interval["upper_bound"]
            if measure not in cuts:  # by key: the smallest and the largest value of the group
                assert lower <= value <= upper
            elif options["boundary"] == "right":
                assert (lower is None or lower < value) and (upper is None or value <= upper)
            else:
                assert (lower is None or lower <= value) and (upper is None or value < upper)
            found[measure, row[score]] += 1
    assert {key: row["customers"] for key, row in published.items()} == found
    for measure, expected in cuts.items():
        uppers = [row["upper_bound"] for key, row in published.items() if key[0] == measure]
        assert sorted(bound for bound in uppers if bound is not None) == pytest.approx(expected)
        assert len(uppers) == len(expected) + 1
    assert {row["fitted_as_of"] for row in published.values()} == {as_of}


def test_expected_values_of_the_second_implementation() -> None:
    """The implementation above against REFERENCE.md's own numbers for rfm_orders at 2006-12-31."""
    path = Path(__file__).resolve().parents[3] / "shared" / "data" / "rfm_orders.parquet"
    if not path.exists():
        pytest.skip("the folder shared/data is not beside the project")
    frame = pd.read_parquet(path)
    lines = [
        (str(row.customer_id), str(number), pd.Timestamp(row.order_date).date(), row.revenue)
        for number, row in enumerate(frame.itertuples())
    ]
    five = dict.fromkeys(MEASURES, 5)
    value = dict.fromkeys(MEASURES, "value")
    options = {"bins": five, "ties": value, "boundary": "right", "cut_points": {}}
    _, cuts = expected_rfm(lines, datetime.date(2006, 12, 31), options)
    assert cuts == {
        "recency": [114, 180, 296.4, 481],
        "frequency": [3, 4, 5, 7],
        "monetary": [254.8, 381, 505.4, 665],
    }
