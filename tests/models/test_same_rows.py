"""The same order lines give the same rows on both engines, whatever their order and the threads.

Ids, texts, integers and dates are equal, floats to 1e-9 relative; also equal are the types, and
what each data test found.
"""

from __future__ import annotations

import datetime
import itertools
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import online_retail
import pandas as pd
import pytest
from comparing import Rows, differences, outcome, published, same
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shop import COLUMNS, TYPES, Shop

from seg_sql.profiles import DuckDBTarget, PostgresTarget

# The tables of these tests; the algorithms have tests of their own.
EVERYTHING = ("+rfm_segments", "+customer_lifecycle", "+cohort_retention", "+input_quality")

CDNOW_TYPES = {
    "customer_id": "integer",
    "order_date": "date",
    "number_of_cds": "integer",
    "dollar_value": "double precision",
}
CDNOW_COLUMNS = {
    "customer_id": "customer_id",
    "ordered_at": "order_date",
    "quantity": "number_of_cds",
    "amount": "dollar_value",
}
# The last day of the data is 1998-06-30, so that June is not over and a fortnight is left out.
AS_OF = "1998-06-16"
# Statistics would have PostgreSQL take one worker for so few rows.
EAGER = {
    "min_parallel_table_scan_size": "0",
    "parallel_setup_cost": "0",
    "parallel_tuple_cost": "0",
}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, postgres_dsn: str) -> Iterator[list[Shop]]:
    """The same project on both engines; its tables stay from one example to the next."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    folder = tmp_path_factory.mktemp("pair")
    known = {"host", "port", "user", "password", "dbname", "sslmode", "sslrootcert"}
    dsn = {key: value for key, value in conninfo_to_dict(postgres_dsn).items() if key in known}
    postgres = PostgresTarget.model_validate({**dsn, "schema": "pair", "settings": EAGER})
    duckdb = DuckDBTarget(path=str(folder / "pair.duckdb"))
    yield [Shop(folder / "duckdb", duckdb), Shop(folder / "postgres", postgres)]
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        connection.execute("drop schema if exists pair cascade")


def test_a_difference_would_be_found() -> None:
    """The comparison itself: types, values, last digits, missing rows and tables."""
    row = {"a": 1, "b": 0.5, "c": "x"}
    assert differences({"t": [row]}, {"t": [{**row, "b": 0.5 + 1e-11}]}) == []
    for other in ({**row, "a": 1.0}, {**row, "b": 0.500001}, {**row, "c": "X"}, {"a": 1, "b": 0.5}):
        assert len(differences({"t": [row]}, {"t": [other]})) == 1
    assert differences({"t": [row]}, {"t": []}) == ["t: 1 and 0 rows"]
    assert differences({"t": [row]}, {}) == ["only one has t"]


# Made by hypothesis ------------------------------------------------------------------------------

# In binary order 10 9 B Z a ä; a language would have 9 10 a ä B Z.
IDS = ["a", "B", "ä", "Z", "10", "9"]
DAYS = [
    datetime.datetime(2026, 1, 1) + datetime.timedelta(days=n) for n in (0, 1, 1, 2, 30, 59, 89)
]
PRICES = [0.0, 0.1, 0.2, 0.3, 1.0, 2.5, 9.99, 1 / 3, 0.12345678901, 1234.5678915, 1e6 + 1e-7]

# Customers with one and with several gaps, so that every model has something to go by.
FEW = [
    (customer, f"{customer}{day:%j}", day, "x", 1, 5.0)
    for number, customer in enumerate(IDS)
    for day in DAYS[: number + 2]
]

lines = st.tuples(
    st.sampled_from([*IDS, *IDS, *IDS, " ", None]),
    st.sampled_from(["1", "2", "3", "4", "5", "é", "E", "6", "7", None]),
    st.one_of(
        st.none() | st.just(datetime.datetime(2999, 1, 1)),
        *[
            st.builds(
                lambda day, hour: day + datetime.timedelta(hours=hour),
                st.sampled_from(DAYS),
                st.sampled_from([0, 9, 9, 23]),
            )
        ]
        * 6,
    ),
    st.sampled_from(["x", "y", "Ü", None]),
    st.one_of(st.integers(-3, 5), st.integers(1, 3), st.none()),
    st.one_of(st.sampled_from(PRICES), st.decimals(0, 50, places=2).map(float), st.none()),
)
projects = st.fixed_dictionaries(
    {},
    optional={
        "vars": st.fixed_dictionaries(
            {},
            optional={
                "as_of": st.sampled_from(["2026-02-01", "2026-03-30", "2026-04-20"]),
                "refunds": st.sampled_from(["net", "drop"]),
                "duplicates": st.sampled_from(["count", "drop", "ignore"]),
                "history_starts": st.just("2026-01-01"),
            },
        ),
        "models": st.fixed_dictionaries(
            {
                "rfm": st.fixed_dictionaries(
                    {},
                    optional={
                        "ties": st.sampled_from(["value", "ntile"]),
                        "boundary": st.sampled_from(["right", "left"]),
                        "window": st.sampled_from([31, 60]),
                        "segment_map": st.sampled_from(["rf_10", "classic_125"]),
                    },
                )
            }
        ),
    },
)


def replace_lines(shop: Shop, rows: Sequence[Sequence[Any]]) -> None:
    """Put other rows into the raw table, on which a published view may depend."""
    table = shop.raw("raw")
    declared = ", ".join(f"{column} {TYPES[column]}" for column in COLUMNS)
    with shop.engine() as engine:
        engine.prepare_schema()
        engine.execute(f"create table if not exists {table} ({declared})")
        engine.execute(f"delete from {table}")
        engine.insert("raw_raw", COLUMNS, rows)


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    rows=st.lists(lines, min_size=1, max_size=60),
    project=projects,
    seed=st.integers(0, 99),
)
def test_the_same_rows_on_both_engines(
    pair: list[Shop], rows: list[tuple[Any, ...]], project: dict[str, Any], seed: int
) -> None:
    rows = [*rows, *FEW]
    for shop in pair:
        shop.write(**project)
        replace_lines(shop, rows)
        shop.build(*EVERYTHING, threads=1)
    duckdb, postgres = pair
    assert outcome(duckdb) == outcome(postgres)
    first = published(duckdb)
    assert differences(first, published(postgres)) == []

    random.Random(seed).shuffle(rows)
    for shop in pair if len(rows) % 4 == 0 else [duckdb]:
        replace_lines(shop, rows)
        assert shop.run("run", *EVERYTHING, threads=4) == 0, shop.said()
        assert differences(first, published(shop)) == []


# Real data ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cdnow(shared_data: Path) -> pd.DataFrame:
    """69,659 order lines of 23,570 customers; an order is a customer's day, some are free."""
    return pd.read_parquet(shared_data / "cdnow_master.parquet")


@pytest.fixture(scope="module")
def cdnow_tables(pair: list[Shop], cdnow: pd.DataFrame) -> dict[str, Rows]:
    """Every table of both engines, from shuffled rows: equal, and equal again with one thread."""
    tables: list[dict[str, Rows]] = []
    for seed, shop in enumerate(pair):
        shop.load_frame(cdnow.sample(frac=1, random_state=seed), CDNOW_TYPES, name="cdnow")
        order_lines = {"relation": shop.raw("cdnow"), "columns": CDNOW_COLUMNS}
        shop.write(inputs={"order_lines": order_lines}, vars={"as_of": AS_OF})
        shop.build(*EVERYTHING, threads=4)
        tables.append(published(shop, but="order_lines_clean"))
        shop.build(*EVERYTHING, threads=1)
        assert differences(tables[-1], published(shop, but="order_lines_clean")) == []
    assert differences(*tables) == []
    assert outcome(pair[0]) == outcome(pair[1])
    return tables[0]


def test_threads_change_nothing(
    tmp_path: Path, duckdb_target: DuckDBTarget, shared_data: Path
) -> None:
    """DuckDB adds up 541,909 lines of Online Retail in five parts, if it has the threads."""
    path = str(online_retail.file_of(shared_data))
    shop = Shop(tmp_path / "project", duckdb_target)
    shop.write(inputs={"order_lines": {"path": path, "columns": online_retail.COLUMNS}})
    shop.build(*EVERYTHING, threads=1)
    first = published(shop, but="order_lines_clean")
    assert len(first["rfm"]) > 4000
    shop.run("run", *EVERYTHING, threads=4)
    assert differences(first, published(shop, but="order_lines_clean")) == []


@pytest.fixture(scope="module")
def purchases(cdnow: pd.DataFrame) -> pd.DataFrame:
    """The days on which each customer bought before as_of, with what was paid."""
    days = cdnow.assign(order_date=pd.to_datetime(cdnow["order_date"]))
    days = days[days["order_date"] < AS_OF]
    return days.groupby(["customer_id", "order_date"], as_index=False)["dollar_value"].sum()


def test_cohorts_of_cdnow_against_pandas(
    cdnow_tables: dict[str, Rows], purchases: pd.DataFrame
) -> None:
    """REFERENCE.md section 2: a month that is not over is NULL, a quiet one is a row with 0."""
    month = purchases["order_date"].dt.to_period("M")
    cohort = month.groupby(purchases["customer_id"]).transform("min")
    cells = purchases.groupby([cohort, month])
    active = cells["customer_id"].nunique()
    revenue = cells["dollar_value"].sum()
    customers = purchases.groupby(cohort)["customer_id"].nunique()
    last = pd.Timestamp(AS_OF).to_period("M")

    expected = []
    for first in pd.period_range(customers.index.min(), last, freq="M"):
        if first not in customers.index:
            continue
        total = 0.0
        for number, period in enumerate(pd.period_range(first, last, freq="M")):
            row: dict[str, Any] = {
                "cohort_month": first.start_time.date(),
                "period_number": number,
                "cohort_customers": int(customers[first]),
                "active_customers": None,
                "retention_rate": None,
                "revenue": None,
                "cumulative_revenue_per_customer": None,
                "left_truncated": False,
            }
            if period < last:
                count = int(active.get((first, period), 0))
                money = float(revenue.get((first, period), 0.0))
                total += money
                row["active_customers"] = count
                row["retention_rate"] = count / row["cohort_customers"]
                row["revenue"] = round(money, 6)
                row["cumulative_revenue_per_customer"] = total / row["cohort_customers"]
            expected.append(row)
    ours = cdnow_tables["cohort_retention"]
    # Cohorts of the first three months of 1997 only, by the data's own README.
    assert len(ours) == 18 + 17 + 16
    key = ("cohort_month", "period_number")
    assert len(ours) == len(expected)
    for row, other in zip(sorted(ours, key=lambda r: [r[k] for k in key]), expected, strict=True):
        money_column = "cumulative_revenue_per_customer"
        assert row.pop(money_column) == (
            None if other[money_column] is None else pytest.approx(other[money_column], abs=1e-6)
        )
        other.pop(money_column)
        assert same(row["revenue"], other["revenue"])
        assert same(row["retention_rate"], other["retention_rate"])
        assert {**row, "revenue": 0, "retention_rate": 0} == {
            **other,
            "revenue": 0,
            "retention_rate": 0,
        }


def test_lifecycle_of_cdnow_against_pandas(
    cdnow_tables: dict[str, Rows], purchases: pd.DataFrame
) -> None:
    """REFERENCE.md section 2: own thresholds from three gaps on, the first stage that fits."""
    dates = purchases.sort_values(["customer_id", "order_date"])
    gaps = dates.groupby("customer_id")["order_date"].diff().dt.days
    p80, p95 = (round(float(gaps.dropna().quantile(q)), 6) for q in (0.8, 0.95))
    as_of = datetime.date.fromisoformat(AS_OF)
    rows = {row["customer_id"]: row for row in cdnow_tables["customer_lifecycle"]}
    counts: dict[str, int] = {}
    days: dict[int, list[datetime.date]] = {}
    for each in dates.itertuples():
        days.setdefault(each.customer_id, []).append(each.order_date.date())
    for customer, bought in days.items():
        row = rows.pop(customer)
        own = [(later - day).days for day, later in itertools.pairwise(bought)]
        since = (as_of - bought[-1]).days
        has_rhythm = len(own) >= 3
        at_risk = round(float(np.quantile(own, 0.8)), 6) if has_rhythm else p80
        churned = float(max(own)) if has_rhythm else p95
        if len(bought) == 1 and since <= at_risk:
            stage = "new"
        elif own and since <= at_risk and own[-1] > max([*own[:-1], p95]):
            stage = "reactivated"
        elif since <= at_risk:
            stage = "active"
        else:
            stage = "at_risk" if since <= churned else "churned"
        counts[stage] = counts.get(stage, 0) + 1
        assert row["stage"] == stage, row
        assert row["threshold_source"] == ("own" if has_rhythm else "population")
        assert row["days_since_last"] == since
        assert row["orders"] == len(bought)
        assert (row["first_order_date"], row["last_order_date"]) == (bought[0], bought[-1])
        assert row["at_risk_after_days"] == pytest.approx(at_risk, abs=1e-6)
        assert row["churned_after_days"] == pytest.approx(churned, abs=1e-6)
    assert rows == {}
    # Every stage but new occurs: the last cohort began more than a year before.
    assert counts.keys() == {"active", "reactivated", "at_risk", "churned"}


def test_rfm_of_cdnow_against_pandas(
    cdnow_tables: dict[str, Rows], purchases: pd.DataFrame
) -> None:
    """REFERENCE.md section 2: half of the customers bought once, and all of them score 1."""
    customers = purchases.groupby("customer_id").agg(
        recency=("order_date", lambda days: (pd.Timestamp(AS_OF) - days.max()).days),
        frequency=("order_date", "size"),
        monetary=("dollar_value", "sum"),
    )
    rows = pd.DataFrame(cdnow_tables["rfm"]).set_index("customer_id").sort_index()
    assert (rows["recency_days"] == customers["recency"]).all()
    assert (rows["frequency"] == customers["frequency"]).all()
    assert ((rows["monetary"] - customers["monetary"]).abs() < 1e-6).all()
    scores = {"recency": "r_score", "frequency": "f_score", "monetary": "m_score"}
    for measure, score in scores.items():
        values = customers[measure].round(6)
        cuts = values.quantile([0.2, 0.4, 0.6, 0.8]).round(6)
        below = sum((values > cut).astype(int) for cut in cuts)
        expected = 5 - below if measure == "recency" else 1 + below
        assert (rows[score] == expected).all()
    assert set(rows.loc[rows["frequency"] == 1, "f_score"]) == {1}
