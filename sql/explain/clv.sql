-- A customer's expected orders and value, and the numbers they follow from.
select
    clv.frequency,
    clv.recency,
    clv.age,
    clv.monetary_value,
    clv.model,
    clv.group_key,
    clv.p_alive,
    clv.expected_orders,
    clv.expected_order_value,
    clv.clv,
    clv.historic_value,
    clv.clv_decile,
    clv.horizon_end,
    clv.fitted_as_of,
    summary.time_unit
from {{ ref('clv') }} as clv
left join {{ ref('clv_customer_summary') }} as summary on summary.customer_id = clv.customer_id
where cast(clv.customer_id as {{ seg_sql.text() }}) = {{ seg_sql.param('customer') }}
