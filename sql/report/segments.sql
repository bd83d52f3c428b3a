-- The segments that have customers; those too small to be shown are one.
-- Grain: one row per segment.
with

segments as (

    select
        segment,
        segment_order,
        suggested_action,
        customers,
        revenue,
        avg_recency_days,
        avg_frequency,
        {{ seg_sql.too_few('customers', 'segment', min_group) }} as is_small
    from {{ ref('rfm_segments') }} as rfm_segments
    where customers > 0

),

pooled as (

    select
        case when is_small then {{ seg_sql.lit(others) }} else segment end as segment,
        case when is_small then 999 else segment_order end as segment_order,
        case when is_small then '' else suggested_action end as suggested_action,
        customers,
        revenue,
        avg_recency_days * customers as recency_days,
        avg_frequency * customers as purchases
    from segments

)

select
    segment,
    segment_order,
    suggested_action,
    {{ seg_sql.isum('customers') }} as customers,
    {{ seg_sql.round('sum(revenue)') }} as revenue,
    {{ seg_sql.safe_div('sum(recency_days)', 'sum(customers)') }} as avg_recency_days,
    {{ seg_sql.safe_div('sum(purchases)', 'sum(customers)') }} as avg_frequency,
    {{ seg_sql.safe_div('sum(revenue)', 'sum(customers)') }} as avg_monetary
from pooled
group by segment, segment_order, suggested_action
order by segment_order, {{ seg_sql.bin('segment') }}
