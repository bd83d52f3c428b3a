-- How much of the history is about ids that are merged now.
select count(*) as row_count, count(distinct customer_id) as customers
from {{ history }} as history
where customer_id in (select customer_id from {{ merges }} as merges)
