-- What each customer is worth over the horizon to come: whether still there, how many orders to
-- expect, and of what value.
-- Grain: one row per customer of clv_customer_summary. Beside it lie the outputs of the fit:
-- clv_parameters and _fit say which model, _holdout and _metrics how good it was.
-- gap_variation, for a sample of customers with at least four gaps between purchases, is the
-- gaps' coefficient of variation: a small one is a subscription's. Attributes of the order lines
-- that group_by names are there as well; of several values of a customer the first in binary order.
{{ config(materialized='clv', unique_key='customer_id') }}

{%- set named = [] %}
{%- for name in var('clv', {}).get('group_by', []) if seg_sql.ident(name) in input_attributes('order_lines') %}
    {%- do named.append(seg_sql.ident(name)) %}
{%- endfor %}

with

regulars as (

    -- About 5,000 of them tell enough.
    select {{ seg_sql.safe_div(5000, 'count(*)') }} as share
    from {{ ref('clv_customer_summary') }} as summary
    where frequency >= 4

),

sampled as (

    select summary.customer_id
    from {{ ref('clv_customer_summary') }} as summary
    where summary.frequency >= 4
        and cast(floor(1000 * (summary.age + 31 * summary.recency)) as bigint)
            % 20011 < 20011 * (select share from regulars)

),

-- The sample is looked up, not joined, so that the lines are read once and most of them dropped.
purchase_days as (

    select customer_id, order_date
    from {{ ref('order_lines_clean') }} as order_lines_clean
    where customer_id in (select customer_id from sampled)
    group by customer_id, order_date
    having {{ seg_sql.clv_is_purchase('amount', 'quantity') }}

),

gaps as (

    select
        customer_id,
        {{ seg_sql.days_between(
            'lag(order_date) over (partition by customer_id order by order_date)', 'order_date'
        ) }} as gap_days
    from purchase_days

),

variations as (

    select
        customer_id,
        {{ seg_sql.safe_div('stddev_samp(gap_days)', 'avg(gap_days)') }} as gap_variation
    from gaps
    group by customer_id
    having count(gap_days) >= 4

),

{% if named -%}
attributes as (

    select
        customer_id,
        {% for name in named -%}
        min({{ seg_sql.bin('order_lines_clean.' ~ name) }}) as {{ name }}{{ ',' if not loop.last }}
        {% endfor -%}
    from {{ ref('order_lines_clean') }} as order_lines_clean
    where customer_id is not null
    group by customer_id

),

{% endif -%}
customers as (

    select
        summary.customer_id, summary.observation_end, summary.frequency, summary.recency,
        summary.age, summary.monetary_value, summary.time_unit, summary.historic_value,
        summary.recent_frequency, summary.calibration_end, summary.calibration_frequency,
        summary.calibration_recency, summary.calibration_age, summary.calibration_monetary_value,
        summary.last_period_frequency, summary.holdout_frequency, summary.holdout_value,
        {% for name in named -%}
        attributes.{{ name }},
        {% endfor -%}
        variations.gap_variation
    from {{ ref('clv_customer_summary') }} as summary
    left join variations on variations.customer_id = summary.customer_id
    {%- if named %}
    left join attributes on attributes.customer_id = summary.customer_id
    {%- endif %}

)

select * from customers
