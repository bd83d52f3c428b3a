-- The order lines of one customer, kept and dropped, with the reason; the last ones first.
select
    order_id,
    ordered_at,
    item_id,
    quantity,
    unit_price,
    amount,
    reason,
    action,
    count(*) over () as line_count,
    count(case when action = 'kept' then 1 end) over () as kept_count,
    sum(case when action = 'kept' then amount end) over () as kept_amount
from {{ ref('order_lines_checked') }} as order_lines_checked
where cast(customer_id as {{ seg_sql.text() }}) = {{ seg_sql.param('customer') }}
order by ordered_at desc nulls last, {{ seg_sql.bin('order_id') }}, {{ seg_sql.bin('item_id') }}, amount
limit {{ limit }}
