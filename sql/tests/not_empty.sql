-- One row when the relation has none.
select row_count
from (select count(*) as row_count from (select 1 as one from {{ model }} as tested limit 1) as head) as counted
where row_count = 0
