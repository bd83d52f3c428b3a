-- The last segments of a customer, the newest first.
select as_of, segment
from {{ ref('customer_segment_history') }} as customer_segment_history
where
    source = 'rfm'
    and cast(customer_id as {{ seg_sql.text() }}) = {{ seg_sql.param('customer') }}
order by as_of desc
limit 6
