-- How many customers were new in the first month, and in one in the middle of those after it.
-- One row.
with

cohorts as (

    select cohort_month, cohort_customers
    from {{ ref('cohort_retention') }} as cohort_retention
    where period_number = 0

),

first_month as (

    select min(cohort_month) as cohort_month
    from cohorts

)

select
    min(cohorts.cohort_month) as cohort_month,
    max(case
        when cohorts.cohort_month = first_month.cohort_month then cohorts.cohort_customers
    end) as cohort_customers,
    count(case when cohorts.cohort_month > first_month.cohort_month then 1 end) as later_months,
    percentile_cont(0.5) within group (order by case
        when cohorts.cohort_month > first_month.cohort_month then cohorts.cohort_customers
    end) as usual_customers
from cohorts
cross join first_month
