-- Where each customer stands: new, active, reactivated, at risk or churned, measured against the
-- customer's own rhythm.
-- Grain: one row per customer with a purchase. A gap is the days between two purchase dates; with
-- at least three gaps the thresholds come from the customer's own, otherwise from everyone's.
-- The first stage that fits counts; every number it depends on is in the row.
{{ config(materialized='table', unique_key='customer_id') }}

with

purchase_days as (

    select customer_id, order_date, count(*) as orders
    from {{ ref('orders') }} as orders
    where is_purchase
    group by customer_id, order_date

),

dated as (

    select
        customer_id,
        order_date,
        orders,
        lag(order_date) over (partition by customer_id order by order_date) as previous_date,
        row_number() over (partition by customer_id order by order_date desc nulls last) as from_last
    from purchase_days

),

gaps as (

    select
        customer_id,
        order_date,
        orders,
        from_last,
        {{ seg_sql.days_between('previous_date', 'order_date') }} as gap_days
    from dated

),

population as (

    select
        {{ seg_sql.round('percentile_cont(0.80) within group (order by gap_days)') }} as gap_p80,
        {{ seg_sql.round('percentile_cont(0.95) within group (order by gap_days)') }} as gap_p95
    from gaps
    where gap_days is not null

),

customers as (

    select
        customer_id,
        min(order_date) as first_order_date,
        max(order_date) as last_order_date,
        {{ seg_sql.isum('orders') }} as orders,
        count(gap_days) as gap_count,
        max(gap_days) as longest_gap_days,
        max(case when from_last = 1 then gap_days end) as last_gap_days,
        max(case when from_last > 1 then gap_days end) as longest_earlier_gap_days
    from gaps
    group by customer_id

),

own_rhythm as (

    select
        gaps.customer_id,
        {{ seg_sql.round('percentile_cont(0.80) within group (order by gaps.gap_days)') }} as gap_p80
    from gaps
    inner join customers on customers.customer_id = gaps.customer_id
    where customers.gap_count >= 3 and gaps.gap_days is not null
    group by gaps.customer_id

),

thresholds as (

    select
        customers.customer_id,
        {% if input_has('customers', 'first_order_date') -%}
        least(customers.first_order_date, known_customers.first_order_date) as first_order_date,
        {%- else -%}
        customers.first_order_date,
        {%- endif %}
        customers.last_order_date,
        customers.orders,
        {{ seg_sql.days_between('customers.last_order_date', seg_sql.as_of()) }} as days_since_last,
        customers.last_gap_days,
        customers.longest_earlier_gap_days,
        population.gap_p95 as unusual_gap_days,
        case
            when own_rhythm.customer_id is not null then own_rhythm.gap_p80
            else population.gap_p80
        end as at_risk_after_days,
        case
            when own_rhythm.customer_id is not null
                then cast(customers.longest_gap_days as {{ seg_sql.double() }})
            else population.gap_p95
        end as churned_after_days,
        case
            when own_rhythm.customer_id is not null then 'own' else 'population'
        end as threshold_source
    from customers
    cross join population
    left join own_rhythm on own_rhythm.customer_id = customers.customer_id
    {%- if input_has('customers', 'first_order_date') %}
    left join {{ ref('known_customers') }} as known_customers
        on known_customers.customer_id = customers.customer_id
    {%- endif %}

),

staged as (

    select
        customer_id,
        first_order_date,
        last_order_date,
        orders,
        days_since_last,
        last_gap_days,
        longest_earlier_gap_days,
        unusual_gap_days,
        at_risk_after_days,
        churned_after_days,
        threshold_source,
        case
            when orders = 1 and days_since_last <= at_risk_after_days then 'new'
            when days_since_last <= at_risk_after_days
                and last_gap_days > coalesce(longest_earlier_gap_days, 0)
                and last_gap_days > unusual_gap_days
                then 'reactivated'
            when days_since_last <= at_risk_after_days then 'active'
            when days_since_last <= churned_after_days then 'at_risk'
            else 'churned'
        end as stage
    from thresholds

),

ordered as (

    select
        customer_id,
        {{ seg_sql.as_of() }} as as_of,
        stage,
        case stage
            when 'new' then 1
            when 'active' then 2
            when 'reactivated' then 3
            when 'at_risk' then 4
            else 5
        end as stage_order,
        first_order_date,
        last_order_date,
        orders,
        days_since_last,
        at_risk_after_days,
        churned_after_days,
        threshold_source,
        last_gap_days,
        longest_earlier_gap_days,
        unusual_gap_days
    from staged

)

select * from ordered
