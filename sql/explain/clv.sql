-- A customer's expected orders and value, and the numbers they follow from. everyones_mean is that of
-- Gamma-Gamma, p v / (q - 1); NULL where it is infinite (q <= 1).
with

spent as (

    select
        group_key,
        max(case when parameter = 'p' then estimate end) as p,
        max(case when parameter = 'q' then estimate end) as q,
        max(case when parameter = 'v' then estimate end) as v
    from {{ ref('clv_parameters') }} as clv_parameters
    where model = 'gamma_gamma' and fit = 'full'
    group by group_key

)

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
    summary.time_unit,
    case
        when spent.q > 1 then {{ seg_sql.safe_div('spent.p * spent.v', 'spent.q - 1') }}
    end as everyones_mean
from {{ ref('clv') }} as clv
left join {{ ref('clv_customer_summary') }} as summary on summary.customer_id = clv.customer_id
left join spent on spent.group_key = clv.group_key
where cast(clv.customer_id as {{ seg_sql.text() }}) = {{ seg_sql.param('customer') }}
