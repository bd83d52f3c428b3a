-- What was expected of the holdout and what came, by repeat purchases in the calibration; 7 is
-- seven or more. Grain: fit, frequency.
select
    fit,
    cast(least(frequency, 7) as integer) as frequency,
    count(*) as customers,
    cast(sum(actual_orders) as {{ seg_sql.double() }}) as actual_orders,
    sum(expected_orders) as expected_orders,
    cast(sum(baseline_orders) as {{ seg_sql.double() }}) as baseline_orders,
    sum(actual_value) as actual_value,
    sum(clv) as expected_value
from {{ scored }} as scored
group by fit, cast(least(frequency, 7) as integer)
order by fit, cast(least(frequency, 7) as integer)
