-- How many of a customer's lines were dropped, by reason.
select reason, count(*) as line_count, sum(amount) as amount
from {{ ref('order_lines_checked') }} as order_lines_checked
where
    cast(customer_id as {{ seg_sql.text() }}) = {{ seg_sql.param('customer') }}
    and action = 'dropped'
group by reason
order by reason
