-- Whether customer lifetime value knows a customer at all.
-- At most one row.
select frequency
from {{ ref('clv_customer_summary') }} as clv_customer_summary
where cast(customer_id as {{ seg_sql.text() }}) = {{ seg_sql.param('customer') }}
