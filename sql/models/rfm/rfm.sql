-- Each customer's recency, frequency and monetary value, their scores and the segment.
-- Grain: one row per customer with a purchase. A score is 1 plus the number of cut points below
-- the value (recency counts down), so that equal values never get different scores.
{{ config(materialized='table', unique_key='customer_id') }}

{%- set options = var('rfm') %}

with

customers as (

    select customer_id, first_order_date, last_order_date, recency, frequency, monetary
    from {{ ref('rfm_values') }} as rfm_values

),

cuts as (

    select
        {% for measure in ['recency', 'frequency', 'monetary'] -%}
        {% for cut in range(1, options.bins[measure]) -%}
        {{ seg_sql.rfm_cut(measure, cut, options.bins[measure]) }}
            as {{ measure }}_cut_{{ cut }},
        {% endfor -%}
        {% endfor -%}
        max(fitted_as_of) as fitted_as_of
    from {{ ref('rfm_cut_points') }} as rfm_cut_points

),

scored as (

    select
        customers.customer_id,
        customers.first_order_date,
        customers.last_order_date,
        customers.recency as recency_days,
        customers.frequency,
        customers.monetary,
        {{ seg_sql.rfm_scored(
            'recency', 'customers.recency', 'customers.customer_id', options
        ) }} as r_score,
        {{ seg_sql.rfm_scored(
            'frequency', 'customers.frequency', 'customers.customer_id', options
        ) }} as f_score,
        {{ seg_sql.rfm_scored(
            'monetary', 'customers.monetary', 'customers.customer_id', options
        ) }} as m_score,
        cuts.fitted_as_of
    from customers
    cross join cuts

),

segmented as (

    select
        scored.customer_id,
        {{ seg_sql.as_of() }} as as_of,
        scored.first_order_date,
        scored.last_order_date,
        scored.recency_days,
        scored.frequency,
        scored.monetary,
        scored.r_score,
        scored.f_score,
        scored.m_score,
        {{ seg_sql.rfm_code('scored.r_score', 'scored.f_score', 'scored.m_score') }} as rfm_code,
        segment_map.segment,
        segment_map.segment_order,
        scored.fitted_as_of
    from scored
    left join {{ ref('rfm_segment_map') }} as segment_map
        on segment_map.r_score = scored.r_score
        and segment_map.f_score = scored.f_score
        and segment_map.m_score = scored.m_score

)

select * from segmented
