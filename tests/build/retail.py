"""Online Retail (shared/data): the lines in a shop, and its RFM segments by pandas alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from build_shop import BuildShop
from online_retail import TYPES, file_of, order_lines

from seg_sql import resources

MEASURES = ("recency", "frequency", "monetary")


def load_retail(shop: BuildShop, shared_data: Path) -> pd.DataFrame:
    """Load the lines of known customers into the shop, and return them."""
    frame = pd.read_parquet(file_of(shared_data))
    frame = frame[frame["customer_id"].notna()].astype({"customer_id": int, "invoice_no": str})
    shop.load_frame(frame, TYPES)
    write_retail(shop)
    return frame


def write_retail(shop: BuildShop, where: str = "1 = 1", **project: Any) -> None:
    """Write a seg_sql.yml that reads the lines."""
    shop.write(inputs={"order_lines": order_lines(shop, where=where)}, **project)


def recipe(lines: pd.DataFrame) -> pd.DataFrame:
    """Return the lines that the published recipe keeps."""
    kept = (lines["quantity"] > 0) & (lines["unit_price"] > 0)
    return lines[kept & ~lines["invoice_no"].str.startswith("C")]


def orders_of(lines: pd.DataFrame) -> pd.DataFrame:
    """Return the orders of known customers: their day, amount, and whether it is a purchase.

    DESIGN.md, section 5: a purchase unless it has a negative line and its net amount is <= 0.
    """
    known = lines.copy()
    known["amount"] = known["quantity"] * known["unit_price"]
    known["negative"] = (known["amount"] < 0) | (known["quantity"] < 0)
    orders = known.groupby(["customer_id", "invoice_no"]).agg(
        day=("invoice_date", "min"), amount=("amount", "sum"), negative=("negative", "any")
    )
    orders["day"] = orders["day"].dt.normalize()
    orders["bought"] = ~(orders["negative"] & (orders["amount"].round(6) <= 0))
    return orders.reset_index()


def measures(orders: pd.DataFrame, as_of: str) -> pd.DataFrame:
    """Return each customer's recency, frequency and monetary value at a day."""
    before = orders[orders["day"] < as_of]
    bought = before[before["bought"]].groupby("customer_id")["day"]
    return pd.DataFrame(
        {
            "recency": (pd.Timestamp(as_of) - bought.max()).dt.days,
            "frequency": bought.size(),
            "monetary": before.groupby("customer_id")["amount"].sum().round(6),
        }
    ).dropna()


def cuts(values: pd.DataFrame) -> dict[str, list[float]]:
    """Return the quintiles, by linear interpolation."""
    return {m: values[m].quantile([0.2, 0.4, 0.6, 0.8]).round(6).tolist() for m in MEASURES}


def segments(values: pd.DataFrame, bounds: dict[str, list[float]], map_name: str) -> pd.Series:
    """Return the segment of each customer between given cut points, by one of the two maps."""
    below = {m: sum((values[m] > cut).astype(int) for cut in bounds[m]) for m in MEASURES}
    scores = pd.DataFrame(
        {
            "r_score": 5 - below["recency"],
            "f_score": 1 + below["frequency"],
            "m_score": 1 + below["monetary"],
        }
    )
    map_ = pd.read_csv(resources.SQL / "seeds" / f"rfm_map_{map_name}.csv")
    # A blank score in a map stands for any.
    on = [score for score in scores if map_[score].notna().all()]
    named = scores.reset_index().merge(map_[[*on, "segment"]], how="left", on=on)
    return named.set_index("customer_id")["segment"]
