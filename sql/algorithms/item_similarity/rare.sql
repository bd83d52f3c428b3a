-- The items that are in too few baskets to be compared.
-- One row.
select count(*) as row_count
from {{ counts }} as counts
where baskets < {{ min_item_baskets }}
