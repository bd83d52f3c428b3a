-- What each customer is worth over the horizon to come: whether still there, how many orders to
-- expect, and of what value.
-- Grain: one row per customer of clv_customer_summary. Beside it lie the outputs of the fit:
-- clv_parameters and _fit say which model, _holdout and _metrics how good it was.
-- gap_variation, for a sample of customers, is that of clv_gap_variations. Attributes of the order
-- lines that group_by names are there as well; of several values of a customer the first in binary
-- order.
{%- set named = [] %}
{%- for name in var('clv', {}).get('group_by', []) if seg_sql.ident(name) in input_attributes('order_lines') %}
    {%- do named.append(seg_sql.ident(name)) %}
{%- endfor %}
{#- In place: beside columns that are there it has at most a join that most statements do without. #}
{{ config(materialized='clv', unique_key='customer_id', meta={'in_place': not named}) }}

with

-- Grouped, so that engines see that no customer is there twice, and leave the join out of what reads
-- nothing of it.
variations as (

    select
        customer_id,
        max(gap_variation) as gap_variation
    from {{ ref('clv_gap_variations') }} as gap_variations
    group by customer_id

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
