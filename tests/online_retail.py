"""Online Retail (shared/data), whose columns have names of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from shop import Shop

COLUMNS = {
    "customer_id": "customer_id",
    "order_id": "invoice_no",
    "ordered_at": "invoice_date",
    "item_id": "stock_code",
    "quantity": "quantity",
    "unit_price": "unit_price",
}
TYPES = {
    "invoice_no": "varchar",
    "stock_code": "varchar",
    "quantity": "integer",
    "invoice_date": "timestamp",
    "unit_price": "double precision",
    "customer_id": "integer",
    "country": "varchar",
}
# The published recipe of REFERENCE.md, section 2, leaves refunds and free lines out.
RECIPE = "customer_id is not null and invoice_no not like 'C%' and quantity > 0 and unit_price > 0"


def file_of(shared_data: Path) -> Path:
    return shared_data / "online_retail.parquet"


def load(shop: Shop, shared_data: Path) -> pd.DataFrame:
    """Load the lines into the shop, and return them."""
    frame = pd.read_parquet(file_of(shared_data)).astype({"customer_id": "Int64"})
    shop.load_frame(frame, TYPES)
    return frame


def order_lines(shop: Shop, **more: Any) -> dict[str, Any]:
    """Return the input of seg_sql.yml that reads the lines."""
    return {"relation": shop.raw("raw"), "columns": COLUMNS, **more}
