-- How many baskets have more than {{ max_items }} items, which would be pairs without number, and how
-- many items these have.
-- One row.
select
    count(*) as baskets,
    coalesce({{ seg_sql.isum(seg_sql.list_size('item_nos')) }}, 0) as items
from {{ units }} as units
where {{ seg_sql.list_size('item_nos') }} > {{ max_items }}
