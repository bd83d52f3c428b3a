-- Writes the order lines to a Parquet file.
-- The rows keep the order that the statement before gave them.
copy (select * from order_lines) to {{ file }} (format parquet, compression zstd)
