"""The models against results that others published, on both engines.

Sources: shared/data (online_retail_rfm_expected, rfm_orders_expected) and section 2 of
shared/REFERENCE.md, which say where each number comes from.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import online_retail
import pandas as pd
import pytest
from shop import Shop, by


@pytest.fixture
def retail(shop: Shop, shared_data: Path) -> pd.DataFrame:
    return online_retail.load(shop, shared_data)


@pytest.fixture
def rfm_orders(shop: Shop, shared_data: Path) -> dict[str, Any]:
    """Load the orders of the rfm package, and return the input that reads them."""
    orders = pd.read_parquet(shared_data / "rfm_orders.parquet")
    orders["order_number"] = range(len(orders))
    types = {
        "customer_id": "varchar",
        "order_number": "integer",
        "order_date": "date",
        "revenue": "integer",
    }
    shop.load_frame(orders, types)
    columns = {
        "customer_id": "customer_id",
        "order_id": "order_number",
        "ordered_at": "order_date",
        "amount": "revenue",
    }
    return {"relation": shop.raw("raw"), "columns": columns}


def test_online_retail_by_the_published_recipe(
    shop: Shop, retail: pd.DataFrame, shared_data: Path
) -> None:
    """4,338 customers, exact values, and the ten published segment counts."""
    shop.write(
        inputs={"order_lines": online_retail.order_lines(shop, where=online_retail.RECIPE)},
        vars={"as_of": "2011-12-10"},
        models={"rfm": {"ties": {"recency": "value", "frequency": "ntile", "monetary": "value"}}},
    )
    shop.build("+rfm_segments")

    expected = pd.read_parquet(shared_data / "online_retail_rfm_expected.parquet")
    rows = by(shop.rows("rfm"), "customer_id")
    assert len(rows) == 4338
    for row in expected.itertuples():
        ours = rows[row.customer_id]
        assert ours["recency_days"] == row.recency
        assert ours["frequency"] == row.frequency
        assert ours["monetary"] == pytest.approx(row.monetary, rel=1e-9)
        assert (ours["r_score"], ours["m_score"]) == (row.recency_score, row.monetary_score)

    # REFERENCE.md section 2, from the published recipe.
    published = {
        "Champions": 633,
        "Loyal": 819,
        "Hibernating": 1071,
        "At Risk": 593,
        "Cannot Lose Them": 63,
        "About To Sleep": 352,
        "Need Attention": 187,
        "New Customers": 42,
        "Potential Loyalist": 484,
        "Promising": 94,
    }
    assert {r["segment"]: r["customers"] for r in shop.rows("rfm_segments")} == published


def test_online_retail_net_of_refunds_against_pandas(shop: Shop, retail: pd.DataFrame) -> None:
    """Without the filter: refunds lower the money, and only purchases count for the rest."""
    shop.write(
        inputs={"order_lines": online_retail.order_lines(shop, attributes=["country"])},
        vars={"as_of": "2011-12-10"},
    )
    shop.build()

    known = retail[retail["customer_id"].notna()].copy()
    known["amount"] = known["quantity"] * known["unit_price"]
    known["day"] = known["invoice_date"].dt.normalize()
    orders = known.groupby(["customer_id", "invoice_no"]).agg(
        amount=("amount", "sum"),
        negative=("amount", lambda values: bool((values < 0).any())),
        quantity=("quantity", "min"),
        day=("day", "min"),
    )
    negative = orders["negative"] | (orders["quantity"] < 0)
    purchase = ~(negative & (orders["amount"].round(6) <= 0))
    bought = orders[purchase].groupby("customer_id")["day"]
    expected = pd.DataFrame(
        {
            "recency": (pd.Timestamp("2011-12-10") - bought.max()).dt.days,
            "frequency": bought.size(),
        }
    ).join(known.groupby("customer_id")["amount"].sum().rename("monetary"))

    rows = by(shop.rows("rfm"), "customer_id")
    assert set(rows) == set(expected.index)
    for customer_id, row in expected.iterrows():
        ours = rows[customer_id]
        assert ours["recency_days"] == row.recency
        assert ours["frequency"] == row.frequency
        assert ours["monetary"] == pytest.approx(row.monetary, rel=1e-9, abs=1e-6)
    for measure, column in (("recency", "recency"), ("monetary", "monetary")):
        cuts = expected[column].quantile([0.2, 0.4, 0.6, 0.8]).round(6).tolist()
        bounds = sorted(
            row["upper_bound"]
            for row in shop.rows("rfm_cut_points")
            if row["measure"] == measure and row["upper_bound"] is not None
        )
        assert bounds == pytest.approx(cuts, rel=1e-9)

    # shared/data/README.md: exact total 9,747,747.934; 24.9 % of the rows have no customer.
    quality = by(shop.rows("input_quality"), "reason")
    assert sum(row["amount"] for row in quality.values()) == pytest.approx(9_747_747.934, abs=1e-3)
    assert quality["no customer"]["rows"] == 135_080
    # 401,604 of 541,909 distinct rows lie with the 5,268 exact duplicates of the whole file;
    # the lines of known customers hold those that pandas finds there.
    columns = [*online_retail.COLUMNS.values(), "country"]
    duplicates = known[columns].duplicated()
    only_refunds = set(known["customer_id"]) - set(expected.index)
    without = known["customer_id"].isin(only_refunds)
    assert quality["possible duplicate"]["rows"] == int((duplicates & ~without).sum())
    assert quality["customer without a purchase"]["rows"] == int(without.sum())


def test_rfm_orders_with_published_cut_points(
    shop: Shop, rfm_orders: dict[str, Any], shared_data: Path
) -> None:
    """All 995 scores of the rfm package, whose cut points lie one above the quantiles."""
    shop.write(
        inputs={"order_lines": rfm_orders},
        vars={"as_of": "2006-12-31"},
        models={
            "rfm": {
                # REFERENCE.md section 2.
                "cut_points": {
                    "recency": [115, 181, 297.4, 482],
                    "frequency": [4, 5, 6, 8],
                    "monetary": [255.8, 382, 506.4, 666],
                },
                "boundary": "left",
            }
        },
    )
    shop.build("+rfm")
    expected = pd.read_parquet(shared_data / "rfm_orders_expected.parquet")
    rows = by(shop.rows("rfm"), "customer_id")
    assert len(rows) == len(expected) == 995
    for row in expected.itertuples():
        ours = rows[row.customer_id]
        assert (ours["recency_days"], ours["frequency"], ours["monetary"]) == (
            row.recency_days,
            row.transaction_count,
            row.amount,
        )
        assert (ours["r_score"], ours["f_score"], ours["m_score"]) == (
            row.recency_score,
            row.frequency_score,
            row.monetary_score,
        )


def test_rfm_orders_by_plain_quantiles(shop: Shop, rfm_orders: dict[str, Any]) -> None:
    """The type-7 quantiles of REFERENCE.md section 2: the published cut points less one."""
    shop.write(
        inputs={"order_lines": rfm_orders},
        vars={"as_of": "2006-12-31"},
    )
    shop.build("+rfm_cut_points")
    cuts: dict[str, list[float]] = {}
    for row in shop.rows("rfm_cut_points"):
        if row["upper_bound"] is not None:
            cuts.setdefault(row["measure"], []).append(row["upper_bound"])
    assert {measure: sorted(values) for measure, values in cuts.items()} == {
        "recency": pytest.approx([114, 180, 296.4, 481]),
        "frequency": pytest.approx([3, 4, 5, 7]),
        "monetary": pytest.approx([254.8, 381, 505.4, 665]),
    }
