-- Writes the customers to a Parquet file.
-- The rows keep the order that the statement before gave them.
copy (select * from customers) to {{ file }} (format parquet, compression zstd)
