-- The largest number of an item.
-- One row.
select max(item_no) as item_no
from {{ items }} as items
