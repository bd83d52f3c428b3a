-- The rows of the customers who are measured.
-- Grain: as it was.
select *
from {{ relation }} as everybody
where customer_id in (select customer_id from {{ truth }} as truth)
