-- How many rows a SELECT has on the way.
select cast(sum(row_count) as bigint) as row_count
from {{ relation }} as on_the_way
