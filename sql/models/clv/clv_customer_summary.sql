-- What the models of customer lifetime value know of each customer: repeat purchases, time from
-- the first to the last, age, mean value; of all days, and of the days up to the calibration end.
-- Grain: one row per customer with a purchase. The purchases of a day are one, worth their net sum;
-- a day with a negative line and a net value of zero or less is none. Times are exact days by the
-- unit. Customers first seen after the calibration end have no calibration columns, nor has anybody
-- where the model clv has `holdout: false`.
-- No order id is needed. The lines are read where they are needed: a CTE of them that is used
-- twice would be kept in memory, all of it.
{{ config(materialized='table', unique_key='customer_id') }}

{# Looked up once: PostgreSQL would join the one row of `periods` to each day in turn. #}
{%- set calibration_end = '(select calibration_end from periods)' %}
{%- set before_last_period = '(select before_last_period from periods)' %}
{%- set before_horizon = '(select before_horizon from periods)' %}
{%- set has_holdout = var('clv', {}).get('holdout', true) %}

with

observed as (

    select
        {{ seg_sql.add_days(seg_sql.as_of(), -1) }} as last_day,
        {{ 'min(order_date)' if has_holdout else 'cast(null as date)' }} as first_day
    {%- if has_holdout %}
    from {{ ref('order_lines_clean') }} as order_lines_clean
    where customer_id is not null
        and amount >= 0
    {%- endif %}

),

spans as (

    select
        last_day,
        {{ seg_sql.clv_calibration_end('first_day', 'last_day') }} as calibration_end
    from observed

),

periods as (

    select
        last_day,
        calibration_end,
        {{ seg_sql.add_days(
            'calibration_end', seg_sql.days_between('last_day', 'calibration_end')
        ) }} as before_last_period,
        {{ seg_sql.add_days('last_day', seg_sql.clv_horizon_days()) }} as before_horizon
    from spans

),

lines as (

    select customer_id, order_date, amount, quantity
    from {{ ref('order_lines_clean') }} as order_lines_clean
    where customer_id is not null
    {{ seg_sql.presorted('customer_id, order_date') }}

),

days as (

    select customer_id, order_date, sum(amount) as value
    from lines
    group by customer_id, order_date
    having {{ seg_sql.clv_is_purchase('amount', 'quantity') }}
    {{ seg_sql.gathered('customer_id') }}

),

customers as (

    select
        days.customer_id,
        min(days.order_date) as first_date,
        max(days.order_date) as last_date,
        count(*) as purchases,
        sum(days.value) as value,
        {{ seg_sql.clv_value_at_first('days.value', 'days.order_date') }} as first_value,
        count(case when days.order_date > {{ before_horizon }} then 1 end) as recent_purchases,
        {% if has_holdout -%}
        max(case when days.order_date <= {{ calibration_end }} then days.order_date end)
            as calibration_last_date,
        count(case when days.order_date <= {{ calibration_end }} then 1 end)
            as calibration_purchases,
        sum(case when days.order_date <= {{ calibration_end }} then days.value end)
            as calibration_value,
        count(
            case
                when days.order_date > {{ before_last_period }}
                    and days.order_date <= {{ calibration_end }}
                    then 1
            end
        ) as last_period_purchases
        {%- else -%}
        cast(null as date) as calibration_last_date,
        cast(null as bigint) as calibration_purchases,
        cast(null as {{ seg_sql.double() }}) as calibration_value,
        cast(null as bigint) as last_period_purchases
        {%- endif %}
    from days
    group by days.customer_id

),

dated as (

    select
        customers.customer_id,
        customers.first_date,
        customers.purchases,
        customers.value,
        customers.first_value,
        customers.calibration_purchases,
        customers.calibration_value,
        customers.last_period_purchases,
        customers.recent_purchases,
        periods.last_day,
        periods.calibration_end,
        periods.before_last_period,
        periods.before_horizon,
        customers.first_date <= periods.calibration_end as is_calibrated,
        {{ seg_sql.days_between('customers.first_date', 'customers.last_date') }} as recency,
        {{ seg_sql.days_between('customers.first_date', 'periods.last_day') }} as age,
        {{ seg_sql.days_between('customers.first_date', 'customers.calibration_last_date') }}
            as calibration_recency,
        {{ seg_sql.days_between('customers.first_date', 'periods.calibration_end') }}
            as calibration_age
    from customers
    cross join periods

),

summary as (

    select
        customer_id,
        last_day as observation_end,
        purchases - 1 as frequency,
        {{ seg_sql.clv_units('recency') }} as recency,
        {{ seg_sql.clv_units('age') }} as age,
        {{ seg_sql.safe_div(seg_sql.round('value - first_value'), 'purchases - 1') }}
            as monetary_value,
        {{ seg_sql.lit(var('clv_time_unit', 'week')) }} as time_unit,
        {{ seg_sql.round('value') }} as historic_value,
        recent_purchases - case when first_date > before_horizon then 1 else 0 end
            as recent_frequency,
        calibration_end,
        case when is_calibrated then calibration_purchases - 1 end as calibration_frequency,
        case when is_calibrated then {{ seg_sql.clv_units('calibration_recency') }} end
            as calibration_recency,
        case when is_calibrated then {{ seg_sql.clv_units('calibration_age') }} end
            as calibration_age,
        case
            when is_calibrated
                then {{ seg_sql.safe_div(
                    seg_sql.round('calibration_value - first_value'), 'calibration_purchases - 1'
                ) }}
        end as calibration_monetary_value,
        case
            when is_calibrated
                then last_period_purchases - case when first_date > before_last_period then 1 else 0 end
        end as last_period_frequency,
        case when is_calibrated then purchases - calibration_purchases end as holdout_frequency,
        case when is_calibrated then {{ seg_sql.round('value - calibration_value') }} end
            as holdout_value
    from dated

)

select * from summary
