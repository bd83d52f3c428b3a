-- The orders as they were at an earlier as_of.
(
    select order_id, customer_id, ordered_at, order_date, amount, lines, items, is_purchase
    from {{ orders }} as orders
    where order_date < {{ seg_sql.as_of() }}
)
