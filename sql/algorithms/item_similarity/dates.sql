-- Whether there are dates to go by.
-- One row.
select count(order_date) as dated
from {{ relation }} as lines
