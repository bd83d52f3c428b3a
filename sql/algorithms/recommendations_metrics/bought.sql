-- What each customer bought.
-- Grain: customer and item.
select customer_id, item_id
from {{ lines }} as item_lines
where reason = 'kept' and customer_id is not null
group by customer_id, item_id
