-- The columns of the source, for the engine to describe.
select * from {{ source }} as source_rows
