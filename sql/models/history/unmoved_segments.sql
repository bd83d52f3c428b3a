-- In which segment each customer of the later as_of would be, had the bounds stayed where they were at
-- the earlier one. For segment_moves: who would have stayed was moved by the bounds.
-- Grain: one row per source and customer, where it is known. A cluster has no bounds.
-- customer_lifecycle: 'live' is new, active or reactivated, which no bound parts.
{{ config(materialized='ephemeral') }}

{%- set options = var('rfm') %}

with

cut_points as (

    select
        dates.source,
        dates.to_as_of,
        cut_points.measure,
        cut_points.score,
        cut_points.lower_bound,
        cut_points.upper_bound
    from {{ ref('segment_cut_points') }} as cut_points
    inner join {{ ref('move_dates') }} as dates
        on dates.source = cut_points.source and dates.from_as_of = cut_points.as_of

),

{% if is_enabled('rfm') -%}
-- One row with every cut point.
cuts as (

    select
        {% for measure in ['recency', 'frequency', 'monetary'] -%}
        {% for cut in range(1, options.bins[measure]) -%}
        {{ seg_sql.rfm_cut(measure, cut, options.bins[measure]) }}
            as {{ measure }}_cut_{{ cut }},
        {% endfor -%}
        {% endfor -%}
        max(to_as_of) as to_as_of
    from cut_points
    where source = 'rfm'

),

rescored as (

    select
        rfm.customer_id,
        {{ seg_sql.rfm_scored(
            'recency', 'rfm.recency_days', 'rfm.customer_id', options
        ) }} as r_score,
        {{ seg_sql.rfm_scored(
            'frequency', 'rfm.frequency', 'rfm.customer_id', options
        ) }} as f_score,
        {{ seg_sql.rfm_scored(
            'monetary', 'rfm.monetary', 'rfm.customer_id', options
        ) }} as m_score
    from {{ ref('rfm') }} as rfm
    inner join cuts on cuts.to_as_of = rfm.as_of

),
{%- endif %}

{% if is_enabled('customer_lifecycle') -%}
-- Customers with a rhythm of their own have thresholds that others do not move.
thresholds as (

    select
        stages.customer_id,
        stages.days_since_last,
        case
            when stages.threshold_source = 'own' then stages.at_risk_after_days
            else cut_points.lower_bound
        end as at_risk_after_days,
        case
            when stages.threshold_source = 'own' then stages.churned_after_days
            else cut_points.upper_bound
        end as churned_after_days
    from {{ ref('customer_lifecycle') }} as stages
    inner join cut_points
        on cut_points.source = 'customer_lifecycle' and cut_points.to_as_of = stages.as_of

),
{%- endif %}

unmoved as (

    {% if is_enabled('rfm') -%}
    select 'rfm' as source, rescored.customer_id, segment_map.segment
    from rescored
    inner join {{ ref('rfm_segment_map') }} as segment_map
        on segment_map.r_score = rescored.r_score
        and segment_map.f_score = rescored.f_score
        and segment_map.m_score = rescored.m_score

    union all

    {% endif -%}
    {% if is_enabled('customer_lifecycle') -%}
    select
        'customer_lifecycle' as source,
        customer_id,
        case
            when days_since_last <= at_risk_after_days then 'live'
            when days_since_last <= churned_after_days then 'at_risk'
            else 'churned'
        end as segment
    from thresholds

    union all

    {% endif -%}
    select source, customer_id, segment
    from {{ ref('customer_segment_history') }} as clusters
    where 1 = 0

)

select * from unmoved
