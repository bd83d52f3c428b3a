select * from {{ source }} as raw_rows
