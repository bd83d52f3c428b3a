"""RFM by its rules, against a second implementation written from REFERENCE.md section 2."""

from __future__ import annotations

import csv
import datetime
import hashlib
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shop import Shop, by

from seg_sql.events import TestFinished
from seg_sql.inputs import Limits
from seg_sql.profiles import DuckDBTarget

MEASURES = ("recency", "frequency", "monetary")
SCORES = {"recency": "r_score", "frequency": "f_score", "monetary": "m_score"}
COLUMNS = ("customer_id", "order_id", "ordered_at", "amount")
MAP_HEADER = ["r_score", "f_score", "m_score", "segment", "segment_order", "description",
              "suggested_action"]  # fmt: skip
# The tables of these tests; the algorithms have tests of their own.
EVERYTHING = ("+rfm_segments", "+customer_lifecycle", "+cohort_retention", "+input_quality")
FIRST = datetime.date(2026, 1, 1)


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


def write_map(shop: Shop, name: str, rows: Sequence[Sequence[Any]]) -> None:
    path = shop.folder / "sql" / "seeds" / f"rfm_map_{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(MAP_HEADER)
        writer.writerows([*row, "", ""] for row in rows)


def load(shop: Shop, lines: Sequence[Sequence[Any]]) -> None:
    """Put lines into the raw table, on which a published view may depend."""
    table = shop.raw("raw")
    with shop.engine() as engine:
        engine.prepare_schema()
        engine.execute(
            f"create table if not exists {table} (customer_id varchar, order_id varchar,"
            " ordered_at date, amount double precision)"
        )
        engine.execute(f"delete from {table}")
        engine.insert("raw_raw", COLUMNS, [list(line) for line in lines])


def cut_points(shop: Shop) -> dict[tuple[str, int], dict[str, Any]]:
    return {(row["measure"], row["score"]): row for row in shop.rows("rfm_cut_points")}


@pytest.mark.parametrize("name", ["rf_10", "classic_125"])
def test_what_a_segment_says_holds_for_its_scores(name: str) -> None:
    """Of fifths, 4 and 5 are above most of the customers, 3 above many, and 1 and 2 below most."""
    claims: dict[str, Callable[[int, int, int], bool]] = {
        "recently and more often than most": lambda r, f, m: r >= 4 and f >= 4,
        "more often and more recently than many": lambda r, f, m: r >= 3 and f >= 3,
        "more often than most": lambda r, f, m: f >= 4,
        "more often than many": lambda r, f, m: f >= 3,
        "more often or for more than many": lambda r, f, m: f >= 3 or m >= 3,
        "more than once": lambda r, f, m: f >= 2,
        "more recently than most": lambda r, f, m: r >= 4,
        "more recently than many": lambda r, f, m: r >= 3,
        "longer ago than most": lambda r, f, m: r <= 2,
    }
    path = Path(__file__).parents[2] / "sql" / "seeds" / f"rfm_map_{name}.csv"
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        said = row["description"]
        scores = [int(row[score] or 0) for score in SCORES.values()]
        for claim, holds in claims.items():
            assert claim not in said or holds(*scores), row
            said = said.replace(claim, "")
        # No other word is said of how often, and how long ago.
        assert not re.search("often|recent|lately(?<!not lately)|longer", said), row


# Made by hypothesis ------------------------------------------------------------------------------

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


# By hand, on both engines ------------------------------------------------------------------------


def buyers(*amounts: float, start: int = 0) -> list[tuple[Any, ...]]:
    """One customer an amount: the n-th buys n times, the last time n days after the first day."""
    return [
        (f"c{n:02}", f"{n}-{time}", FIRST + datetime.timedelta(days=n), amount / n)
        for n, amount in enumerate(amounts, start + 1)
        for time in range(n)
    ]


@pytest.mark.parametrize(
    ("boundary", "scores"),
    [
        # as_of is 11 January: 9, 8, 7, 6, 5 days since the last order; cut at 6 and 8.
        ("right", {"c01": "111", "c02": "212", "c03": "222", "c04": "322", "c05": "333"}),
        ("left", {"c01": "112", "c02": "122", "c03": "222", "c04": "233", "c05": "333"}),
    ],
)
def test_a_value_on_a_cut_point(shop: Shop, boundary: str, scores: dict[str, str]) -> None:
    """Right: the cut belongs to the interval below it; left: to the one above."""
    load(shop, buyers(10, 20, 30, 30.4, 40))
    points = {"recency": [6, 8], "frequency": [2, 4], "monetary": [10, 30.4]}
    write_map(shop, "mine", [("", "", "", "Everybody", 1)])
    shop.write(
        vars={"as_of": "2026-01-11"},
        models={"rfm": {"cut_points": points, "boundary": boundary, "segment_map": "mine"}},
    )
    shop.build("+rfm")
    assert {row["customer_id"]: row["rfm_code"] for row in shop.rows("rfm")} == scores


@pytest.mark.parametrize("refit", ["always", "never", "monthly"])
def test_refit(shop: Shop, refit: str) -> None:
    """Five customers spend 10 to 50: cut at 18, 26, 34, 42. Five more spend 60 to 100."""
    load(shop, buyers(10, 20, 30, 40, 50))
    shop.write(models={"rfm": {"refit": refit}})
    shop.build("+rfm", vars={"as_of": "2026-01-11"})
    january = datetime.date(2026, 1, 11)

    def bounds() -> list[float]:
        return [cut_points(shop)["monetary", score]["upper_bound"] for score in range(1, 5)]

    def fitted() -> set[datetime.date]:
        assert {row["fitted_as_of"] for row in shop.rows("rfm")} == {
            row["fitted_as_of"] for row in cut_points(shop).values()
        }
        return {row["fitted_as_of"] for row in shop.rows("rfm")}

    old, new = [18, 26, 34, 42], [28, 46, 64, 82]  # type 7 of 10..50 and of 10..100
    assert (bounds(), fitted()) == (old, {january})

    load(shop, buyers(10, 20, 30, 40, 50, 60, 70, 80, 90, 100))
    shop.build("+rfm", vars={"as_of": "2026-01-31"})
    kept = refit != "always"
    assert bounds() == (old if kept else new)
    assert fitted() == ({january} if kept else {datetime.date(2026, 1, 31)})
    customers = [cut_points(shop)["monetary", score]["customers"] for score in range(1, 6)]
    assert customers == ([1, 1, 1, 1, 6] if kept else [2, 2, 2, 2, 2])

    shop.build("+rfm", vars={"as_of": "2026-02-01"})
    kept = refit == "never"
    assert bounds() == (old if kept else new)
    assert fitted() == ({january} if kept else {datetime.date(2026, 2, 1)})
    shop.build("+rfm", vars={"as_of": "2026-02-01"}, full_refresh=True)
    assert (bounds(), fitted()) == (new, {datetime.date(2026, 2, 1)})


def test_cut_points_that_do_not_fit_are_not_kept(shop: Shop) -> None:
    """Of other bins there is nothing to keep; fixed cut points are taken from the project."""
    load(shop, buyers(10, 20, 30, 40, 50))
    write_map(shop, "mine", [("", "", "", "Everybody", 1)])
    shop.write(models={"rfm": {"refit": "never"}})
    shop.build("+rfm", vars={"as_of": "2026-01-11"})

    shop.write(models={"rfm": {"refit": "never", "bins": 2, "segment_map": "mine"}})
    shop.build("+rfm", vars={"as_of": "2026-01-12"})
    assert {row["customer_id"]: row["m_score"] for row in shop.rows("rfm")} == {
        "c01": 1, "c02": 1, "c03": 1, "c04": 2, "c05": 2
    }  # fmt: skip
    assert {row["fitted_as_of"] for row in shop.rows("rfm")} == {datetime.date(2026, 1, 12)}

    shop.build("+rfm", vars={"as_of": "2026-01-13"})
    assert {row["fitted_as_of"] for row in shop.rows("rfm")} == {datetime.date(2026, 1, 12)}

    options = {"refit": "never", "bins": 2, "segment_map": "mine", "cut_points": {"monetary": [45]}}
    shop.write(models={"rfm": options})
    shop.build("+rfm", vars={"as_of": "2026-01-14"})
    assert {row["customer_id"]: row["m_score"] for row in shop.rows("rfm")} == {
        "c01": 1, "c02": 1, "c03": 1, "c04": 1, "c05": 2
    }  # fmt: skip


def test_cut_points_that_are_kept_tell_of_another_window(shop: Shop) -> None:
    """A boundary holds at once, fixed cut points too; those that were fixed stay."""
    load(shop, buyers(10, 20, 30, 40, 50))
    cuts = {"monetary": [15, 25, 35, 45]}
    kept: dict[str, Any] = {"refit": "never"}
    shop.write(models={"rfm": {**kept, "cut_points": cuts}})
    shop.build("+rfm")
    frequency = {"frequency": [1, 2, 3, 4]}
    shop.write(
        models={
            "rfm": {**kept, "boundary": "left", "cut_points": {**cuts, **frequency}},
        }
    )
    shop.build("+rfm")
    assert "keeps its fit" not in shop.said()
    shop.write(models={"rfm": {**kept, "window": 30}})
    shop.build("+rfm")
    assert (
        "rfm keeps its fit (refit: never), which was made with other options: window (fitted with"
        " none, now 30), cut_points.monetary (fitted with [15.0, 25.0, 35.0, 45.0], now none)."
    ) in shop.said()


def test_the_window_forgets_older_orders(shop: Shop) -> None:
    """5 days before 11 January is the 6th: older orders count neither for money nor frequency."""
    old = [("c05", "old", FIRST, 100.0), ("c06", "old", FIRST, 50.0)]
    load(shop, [*buyers(10, 20, 30, 40, 50, 60), *old])
    shop.write(models={"rfm": {"window": 5}}, vars={"as_of": "2026-01-11"})
    shop.build("+rfm")
    rows = {row["customer_id"]: (row["frequency"], row["monetary"]) for row in shop.rows("rfm")}
    assert rows == {"c05": (5, pytest.approx(50)), "c06": (6, pytest.approx(60))}


# Segment maps ------------------------------------------------------------------------------------

# REFERENCE.md section 2: R then F of rf_10, and the codes RFM of classic_125.
RF_10 = {
    "Hibernating": "11 12 21 22",
    "At Risk": "13 14 23 24",
    "Cannot Lose Them": "15 25",
    "About To Sleep": "31 32",
    "Need Attention": "33",
    "Loyal": "34 35 44 45",
    "Promising": "41",
    "New Customers": "51",
    "Potential Loyalist": "42 43 52 53",
    "Champions": "54 55",
}
CLASSIC_125 = {
    "Champions": "555 554 544 545 454 455 445",
    "Loyal": "543 444 435 355 354 345 344 335",
    "Potential Loyalist": "553 551 552 541 542 533 532 531 452 451 442 441 431 453 433 432 423 353"
    " 352 351 342 341 333 323",
    "New Customers": "512 511 422 421 412 411 311",
    "Promising": "525 524 523 522 521 515 514 513 425 424 413 414 415 315 314 313",
    "Need Attention": "535 534 443 434 343 334 325 324",
    "About To Sleep": "331 321 312 221 213 231 241 251",
    "At Risk": "255 254 245 244 253 252 243 242 235 234 225 224 153 152 145 143 142 135 134 133 125"
    " 124",
    "Cannot Lose Them": "155 154 144 214 215 115 114 113",
    "Hibernating": "332 322 233 232 223 222 132 123 122 212 211",
    "Lost": "111 112 121 131 141 151",
}


@pytest.mark.parametrize(("name", "codes"), [("rf_10", RF_10), ("classic_125", CLASSIC_125)])
def test_packaged_maps(shop: Shop, name: str, codes: dict[str, str]) -> None:
    load(shop, buyers(10, 20, 30, 40, 50))
    shop.write(models={"rfm": {"segment_map": name}})
    shop.build("+rfm_segments")
    rows = shop.rows("rfm_segment_map")
    assert len(rows) == 125
    found: dict[str, set[str]] = {}
    for row in rows:
        code = f"{row['r_score']}{row['f_score']}{row['m_score']}"
        found.setdefault(row["segment"], set()).add(code)
    if name == "rf_10":
        codes = {s: " ".join(rf + m for rf in listed.split() for m in "12345")
                 for s, listed in codes.items()}  # fmt: skip
    assert found == {segment: set(listed.split()) for segment, listed in codes.items()}
    # c05 is the last, the most frequent and the best customer; c01 the opposite.
    segments = {row["customer_id"]: (row["rfm_code"], row["segment"]) for row in shop.rows("rfm")}
    worst = "Hibernating" if name == "rf_10" else "Lost"
    assert segments["c05"] == ("555", "Champions")
    assert segments["c01"] == ("111", worst)


def test_a_map_of_ones_own(shop: Shop) -> None:
    """Three scores of recency, two of frequency and money; every triple in one segment."""
    load(shop, buyers(10, 20, 30, 40, 50, 60))
    write_map(shop, "mine", [(3, "", "", "Fresh", 1), (2, 2, "", "Steady", 2),
                             (2, 1, "", "Quiet", 3), (1, "", "", "Gone", 4)])  # fmt: skip
    bins = {"recency": 3, "frequency": 2, "monetary": 2}
    shop.write(models={"rfm": {"segment_map": "mine", "bins": bins}})
    shop.build("+rfm_segments")
    assert len(shop.rows("rfm_segment_map")) == 12
    assert {row["customer_id"]: row["segment"] for row in shop.rows("rfm")} == {
        "c01": "Gone", "c02": "Gone", "c03": "Quiet",
        "c04": "Steady", "c05": "Fresh", "c06": "Fresh",
    }  # fmt: skip
    assert [row["segment"] for row in shop.rows("rfm_segments", order="segment_order")] == [
        "Fresh",
        "Steady",
        "Quiet",
        "Gone",
    ]


@pytest.mark.parametrize(
    ("rows", "test", "message"),
    [
        (
            [(2, "", "", "Fresh", 1), (1, 1, "", "Gone", 2)],  # 1 2 x is nowhere
            "row_count_between_rfm_segment_map",
            "The segment map does not give every triple of scores exactly one segment.",
        ),
        (
            [("", "", "", "All", 1), (1, 1, 1, "Gone", 2)],  # 1 1 1 is in both
            "unique_combination_of_columns_rfm_segment_map",
            "A triple of scores has two segments in the segment map.",
        ),
    ],
)
def test_a_map_that_is_no_partition(
    shop: Shop, rows: list[tuple[Any, ...]], test: str, message: str
) -> None:
    load(shop, buyers(10, 20, 30))
    write_map(shop, "mine", rows)
    shop.write(models={"rfm": {"segment_map": "mine", "bins": 2}})
    assert shop.run("build", *EVERYTHING) == 1
    failed = {each.name: each for each in shop.log.of(TestFinished) if each.status == "fail"}
    assert failed[test].message == message
    with shop.engine() as engine:
        existing = engine.existing().keys()
    assert not {"rfm", "rfm_segments", "rfm_segment_map"} & existing
    assert "rfm_values" in existing


# Less than everything ----------------------------------------------------------------------------


def test_empty(shop: Shop) -> None:
    """--empty checks the types of everything, and reads no row."""
    again = ("c01", "again", FIRST + datetime.timedelta(days=9), 5.0)
    load(shop, [*buyers(10, 20, 30), again])
    shop.write()
    shop.build(*EVERYTHING, limits=Limits(empty=True))
    for name in ("order_lines_clean", "input_quality", "orders", "rfm", "customer_lifecycle",
                 "cohort_retention"):  # fmt: skip
        assert shop.rows(name) == [], name
    assert {row["customers"] for row in shop.rows("rfm_segments")} == {0}
    with shop.engine() as engine:
        columns = engine.describe(f"select * from {engine.relation('rfm')}")
    kinds = {column.name: column.kind for column in columns}
    assert kinds["as_of"] == kinds["last_order_date"] == "date"
    assert kinds["monetary"] == kinds["r_score"] == "number"

    shop.build(*EVERYTHING)
    assert len(shop.rows("rfm")) == 3


def test_sample(shop: Shop) -> None:
    """--sample takes customers by the md5 of '0:<id>': all lines of a customer, or none."""
    load(shop, buyers(*range(1, 41)))
    # The mapped name differs in case from the column: that is the same column.
    columns = {name: name.upper() for name in COLUMNS}
    shop.write(inputs={"order_lines": {"relation": shop.raw("raw"), "columns": columns}})
    shop.build("+rfm", limits=Limits(sample=0.3))
    chosen = {
        f"c{n:02}"
        for n in range(1, 41)
        if int(hashlib.md5(f"0:c{n:02}".encode()).hexdigest()[:13], 16) / 2**52 < 0.3
    }
    assert 5 < len(chosen) < 20
    rows = {row["customer_id"]: row["frequency"] for row in shop.rows("rfm")}
    assert rows == {customer: int(customer[1:]) for customer in chosen}


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
