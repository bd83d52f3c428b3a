"""The map of retail.csv, whose names are those of the UCI file Online Retail."""

RETAIL = {
    "customer_id": "CustomerID",
    "order_id": "InvoiceNo",
    "ordered_at": "InvoiceDate",
    "item_id": "StockCode",
    "quantity": "Quantity",
    "unit_price": "UnitPrice",
}
