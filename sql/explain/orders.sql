-- A customer's orders in three numbers.
select
    {{ seg_sql.isum('case when is_purchase then 1 else 0 end') }} as purchases,
    {{ seg_sql.isum('case when is_purchase then 0 else 1 end') }} as refunds,
    sum(amount) as amount
from {{ ref('orders') }} as orders
where cast(customer_id as {{ seg_sql.text() }}) = {{ seg_sql.param('customer') }}
