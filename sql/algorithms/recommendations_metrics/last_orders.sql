-- The last order of each customer who has several: of two at the same time the one with the larger id.
-- Grain: customer.
select customer_id, order_id
from (
    select
        customer_id,
        order_id,
        count(*) over (partition by customer_id) as orders,
        row_number() over (
            partition by customer_id
            order by last_at desc nulls last, {{ seg_sql.bin('order_id') }} desc
        ) as place
    from (
        select customer_id, order_id, max(ordered_at) as last_at
        from {{ lines }} as lines
        where customer_id is not null
        group by customer_id, order_id
    ) as ordered
) as numbered
where place = 1 and orders > 1
