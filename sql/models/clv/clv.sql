-- What each customer is worth over the horizon to come: whether still there, how many orders to
-- expect, and of what value.
-- Grain: one row per customer of clv_customer_summary. Beside it lie the outputs of the fit:
-- clv_parameters and _fit say which model, _holdout and _metrics how good it was.
-- median_gap_variation, the same in all rows, is the median of clv_gap_variations. Attributes of the
-- order lines that group_by names are there as well; of several values of a customer the first in
-- binary order.
{%- set named = [] %}
{%- for name in var('clv', {}).get('group_by', []) if seg_sql.ident(name) in input_attributes('order_lines') %}
    {%- do named.append(seg_sql.ident(name)) %}
{%- endfor %}
{#- In place: beside columns that are there it has a value that most statements do not read. #}
{{ config(materialized='clv', unique_key='customer_id', meta={'in_place': not named}) }}

with

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
        (
            select percentile_cont(0.5) within group (order by gap_variation)
            from {{ ref('clv_gap_variations') }} as gap_variations
        ) as median_gap_variation
    from {{ ref('clv_customer_summary') }} as summary
    {%- if named %}
    left join attributes on attributes.customer_id = summary.customer_id
    {%- endif %}

)

select * from customers
