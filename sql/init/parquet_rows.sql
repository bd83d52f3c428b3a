-- How many rows the Parquet files hold, from their footers.
select cast(sum(num_rows) as bigint) as n_rows
from parquet_file_metadata([{{ files | join(', ') }}])
