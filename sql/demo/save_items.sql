-- Writes the catalogue to a Parquet file, the most popular item first.
-- The number by popularity stays behind.
copy (
    select sku, name, category, list_price, is_product
    from items
    order by item_number
) to {{ file }} (format parquet, compression zstd)
