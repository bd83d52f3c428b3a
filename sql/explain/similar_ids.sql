-- Ids that begin like the one that was not found, small letters as capitals.
select distinct cast(customer_id as {{ seg_sql.text() }}) as customer_id
from {{ ref('orders') }} as orders
where
    {{ seg_sql.ascii_upper('left(cast(customer_id as ' ~ seg_sql.text() ~ '), ' ~ length ~ ')') }}
    = {{ seg_sql.ascii_upper(seg_sql.param('start')) }}
order by customer_id
limit 3
