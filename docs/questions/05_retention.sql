-- Of the customers won in a month, how many percent came back one, three and six months later?
-- One row per cohort; a month that is not over is NULL, and so is one that has not come.
with

rates as (

    select
        cohort_month,
        cohort_customers,
        period_number,
        cast(100 * retention_rate as numeric(30, 6)) as percent
    from cohort_retention

)

select
    cohort_month,
    max(cohort_customers) as customers,
    round(max(case when period_number = 1 then percent end), 1) as month_1,
    round(max(case when period_number = 3 then percent end), 1) as month_3,
    round(max(case when period_number = 6 then percent end), 1) as month_6
from rates
group by cohort_month
order by cohort_month
