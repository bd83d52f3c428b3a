-- The planted affinities, item by item, as they are written beside the data.
-- An item number is its place by popularity.
select
    affinity,
    sku,
    name
from affinities
order by affinity, item_number
