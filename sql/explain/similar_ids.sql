-- Ids that begin like the one that was not found, small letters as capitals, or are the same but
-- for blanks around them, zeros before them or a .0 after them.
select distinct cast(customer_id as {{ seg_sql.text() }}) as customer_id
from {{ ref('orders') }} as orders
where
    {{ seg_sql.ascii_upper('left(cast(customer_id as ' ~ seg_sql.text() ~ '), ' ~ length ~ ')') }}
    = {{ seg_sql.ascii_upper(seg_sql.param('start')) }}
    or {{ seg_sql.plain_id('customer_id') }} = {{ seg_sql.plain_id(seg_sql.param('start')) }}
order by customer_id
limit 3
