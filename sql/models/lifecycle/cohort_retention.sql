-- How many of each month's new customers came back, month by month, and what they spent.
-- Grain: one row per cohort_month (month of the first purchase) and period_number (0 is that
-- month). A month that runs past the end of the data is NULL, never 0; a quiet month is 0.
{{ config(materialized='table', unique_key=['cohort_month', 'period_number']) }}

with

orders as (

    select customer_id, order_date, amount, is_purchase
    from {{ ref('orders') }} as orders

),

first_purchases as (

    select customer_id, min(order_date) as first_order_date
    from orders
    where is_purchase
    group by customer_id

),

customers as (

    select
        first_purchases.customer_id,
        {% if input_has('customers', 'first_order_date') -%}
        {{ seg_sql.month_floor(
            'least(first_purchases.first_order_date, known_customers.first_order_date)'
        ) }} as cohort_month
    from first_purchases
    left join {{ ref('known_customers') }} as known_customers
        on known_customers.customer_id = first_purchases.customer_id
        {%- else -%}
        {{ seg_sql.month_floor('first_purchases.first_order_date') }} as cohort_month
    from first_purchases
        {%- endif %}

),

cohorts as (

    select cohort_month, count(*) as cohort_customers
    from customers
    group by cohort_month

),

observed as (

    select
        {{ seg_sql.month_floor('min(order_date)') }} as first_month
    from orders

),

calendar as (

    select month_start
    from {{ seg_sql.months(
        '(select min(cohort_month) from cohorts)',
        seg_sql.month_floor(seg_sql.add_days(seg_sql.as_of(), -1))
    ) }} as calendar_months

),

activity as (

    select
        customers.cohort_month,
        {{ seg_sql.month_floor('orders.order_date') }} as month_start,
        count(distinct case when orders.is_purchase then orders.customer_id end)
            as active_customers,
        {{ seg_sql.round('sum(orders.amount)') }} as revenue
    from orders
    inner join customers on customers.customer_id = orders.customer_id
    group by customers.cohort_month, {{ seg_sql.month_floor('orders.order_date') }}

),

cells as (

    select
        cohorts.cohort_month,
        {{ seg_sql.months_between('cohorts.cohort_month', 'calendar.month_start') }}
            as period_number,
        cohorts.cohort_customers,
        calendar.month_start,
        case
            when calendar.month_start >= observed.first_month
                and {{ seg_sql.add_months('calendar.month_start', 1) }} <= {{ seg_sql.as_of() }}
                then 1
            else 0
        end as is_complete,
        coalesce(activity.active_customers, 0) as active_customers,
        coalesce(activity.revenue, {{ seg_sql.lit(0.0) }}) as revenue,
        observed.first_month
    from cohorts
    inner join calendar on calendar.month_start >= cohorts.cohort_month
    cross join observed
    left join activity
        on activity.cohort_month = cohorts.cohort_month
        and activity.month_start = calendar.month_start

),

accumulated as (

    select
        cohort_month,
        period_number,
        cohort_customers,
        is_complete,
        active_customers,
        revenue,
        sum(revenue) over (
            partition by cohort_month order by period_number
            rows between unbounded preceding and current row
        ) as cumulative_revenue,
        first_month
    from cells

),

retention as (

    select
        cohort_month,
        period_number,
        cohort_customers,
        case when is_complete = 1 then active_customers end as active_customers,
        case
            when is_complete = 1 then {{ seg_sql.safe_div('active_customers', 'cohort_customers') }}
        end as retention_rate,
        case when is_complete = 1 then revenue end as revenue,
        case
            when is_complete = 1
                then {{ seg_sql.round(seg_sql.safe_div('cumulative_revenue', 'cohort_customers')) }}
        end as cumulative_revenue_per_customer,
        {% if input_has('customers', 'first_order_date') -%}
        case when cohort_month < first_month then true else false end as left_truncated
        {%- elif var('history_starts') -%}
        case
            when cohort_month
                < {{ seg_sql.add_days(seg_sql.date_literal(var('history_starts')), 90) }}
                then true
            else false
        end as left_truncated
        {%- else -%}
        false as left_truncated
        {%- endif %}
    from accumulated

)

select * from retention
