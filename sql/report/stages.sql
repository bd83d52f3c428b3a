-- How many customers are in each stage of the lifecycle; stages too small to be shown are one.
-- Grain: one row per stage.
with

stages as (

    select stage, stage_order, count(*) as customers
    from {{ ref('customer_lifecycle') }} as customer_lifecycle
    group by stage, stage_order

),

judged as (

    select
        stage,
        stage_order,
        customers,
        {{ seg_sql.too_few('customers', 'stage', min_group) }} as is_small
    from stages

),

pooled as (

    select
        case when is_small then {{ seg_sql.lit(others) }} else stage end as stage,
        case when is_small then 999 else stage_order end as stage_order,
        customers
    from judged

)

select stage, stage_order, {{ seg_sql.isum('customers') }} as customers
from pooled
group by stage, stage_order
order by stage_order
