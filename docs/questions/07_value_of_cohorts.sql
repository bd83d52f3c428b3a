-- How much has a customer of each cohort brought after three, six and twelve months?
-- One row per cohort; NULL where the months are not over.
with

sums as (

    select
        cohort_month,
        cohort_customers,
        period_number,
        cast(cumulative_revenue_per_customer as numeric(30, 6)) as brought
    from cohort_retention

)

select
    cohort_month,
    max(cohort_customers) as customers,
    round(max(case when period_number = 2 then brought end), 2) as after_3_months,
    round(max(case when period_number = 5 then brought end), 2) as after_6_months,
    round(max(case when period_number = 11 then brought end), 2) as after_12_months
from sums
group by cohort_month
order by cohort_month
