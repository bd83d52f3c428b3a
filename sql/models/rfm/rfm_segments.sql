-- The segments at a glance: how many customers, what they spent, how they buy, what to do.
-- Grain: one row per segment of the map, also those that no customer is in.
{{ config(materialized='table', unique_key='segment', meta={'order_by': ['segment_order']}) }}

with

segments as (

    select distinct segment, segment_order, description, suggested_action
    from {{ ref('rfm_segment_map') }} as rfm_segment_map

),

customers as (

    select segment, recency_days, frequency, monetary
    from {{ ref('rfm') }} as rfm

),

totals as (

    select count(*) as customers, sum(monetary) as revenue
    from customers

),

by_segment as (

    select
        segment,
        count(*) as customers,
        {{ seg_sql.round('sum(monetary)') }} as revenue,
        avg(cast(recency_days as {{ seg_sql.double() }})) as avg_recency_days,
        avg(cast(frequency as {{ seg_sql.double() }})) as avg_frequency,
        avg(monetary) as avg_monetary,
        {{ seg_sql.round('percentile_cont(0.5) within group (order by monetary)') }}
            as median_monetary,
        avg(case when frequency = 1 then {{ seg_sql.lit(1.0) }} else {{ seg_sql.lit(0.0) }} end)
            as one_time_share
    from customers
    group by segment

),

described as (

    select
        segments.segment,
        segments.segment_order,
        segments.description,
        segments.suggested_action,
        coalesce(by_segment.customers, 0) as customers,
        {{ seg_sql.safe_div('coalesce(by_segment.customers, 0)', 'totals.customers') }}
            as customer_share,
        coalesce(by_segment.revenue, {{ seg_sql.lit(0.0) }}) as revenue,
        {{ seg_sql.safe_div(
            'coalesce(by_segment.revenue, ' ~ seg_sql.lit(0.0) ~ ')', 'totals.revenue'
        ) }} as revenue_share,
        by_segment.avg_recency_days,
        by_segment.avg_frequency,
        by_segment.avg_monetary,
        by_segment.median_monetary,
        by_segment.one_time_share
    from segments
    cross join totals
    left join by_segment on by_segment.segment = segments.segment

)

select * from described
