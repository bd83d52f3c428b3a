-- Which share of each month's new customers bought again, month by month.
-- Grain: one row per cohort and month after the first; cohorts too small to be shown are one, which
-- has no cohort_month. The last 24 cohorts. A month in which some, but fewer than min_group
-- customers bought has no rate.
with

sizes as (

    select cohort_month, max(cohort_customers) as customers
    from {{ ref('cohort_retention') }} as cohort_retention
    group by cohort_month

),

latest as (

    select cohort_month, customers
    from sizes
    order by cohort_month desc nulls last
    limit 24

),

judged as (

    select
        cohort_month,
        {{ seg_sql.too_few('customers', 'cohort_month', min_group) }} as is_small
    from latest

),

pooled as (

    select
        case when not judged.is_small then retention.cohort_month end as cohort_month,
        retention.period_number,
        {{ seg_sql.isum('retention.cohort_customers') }} as customers,
        {{ seg_sql.isum('retention.active_customers') }} as active_customers
    from {{ ref('cohort_retention') }} as retention
    inner join judged on judged.cohort_month = retention.cohort_month
    where retention.active_customers is not null and retention.period_number <= 24
    group by
        case when not judged.is_small then retention.cohort_month end,
        retention.period_number

)

select
    {{ seg_sql.month_label('cohort_month') }} as cohort_month,
    period_number,
    customers,
    case
        when active_customers = 0 or active_customers >= {{ min_group }}
            then {{ seg_sql.safe_div('active_customers', 'customers') }}
    end as retention_rate
from pooled
where customers >= {{ min_group }}
order by cohort_month nulls last, period_number
