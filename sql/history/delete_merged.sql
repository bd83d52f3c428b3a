-- The rows under the merged ids go.
delete from {{ history }}
where customer_id in (select customer_id from {{ merges }} as merges)
