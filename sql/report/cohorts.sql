-- Which share of each month's new customers bought again, month by month.
-- Grain: one row per cohort and month after the first; cohorts too small to be shown are one, which
-- has no cohort_month. The last 24 cohorts. A month in which fewer than min_group customers bought
-- has no rate. rate_of_all is that of all cohorts together, those without a rate too; it is NULL
-- where fewer than min_group customers of the latter bought, for they could be taken off the total.
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

),

of_all as (

    select
        cohort_month,
        period_number,
        customers,
        active_customers,
        sum(customers) over (partition by period_number) as all_customers,
        sum(active_customers) over (partition by period_number) as all_active,
        sum(case when active_customers < {{ min_group }} then active_customers end)
            over (partition by period_number) as hidden_active
    from pooled

)

select
    {{ seg_sql.month_label('cohort_month') }} as cohort_month,
    period_number,
    customers,
    case
        when active_customers >= {{ min_group }}
            then {{ seg_sql.safe_div('active_customers', 'customers') }}
    end as retention_rate,
    case
        when coalesce(hidden_active, {{ min_group }}) >= {{ min_group }}
            then {{ seg_sql.safe_div('all_active', 'all_customers') }}
    end as rate_of_all
from of_all
where customers >= {{ min_group }}
order by cohort_month nulls last, period_number
