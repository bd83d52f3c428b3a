-- How many baskets are large, and how many of their items are beyond the limit.
-- One row.
select
    count(*) as baskets,
    coalesce({{ seg_sql.isum('items') }}, 0) as items
from {{ large }} as large
