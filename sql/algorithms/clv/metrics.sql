-- How far what was expected of the holdout is from what came, for the model and the baseline.
-- Grain: fit. Of customers who tie at the edge of the top tenth each counts in part, as if they were
-- drawn by lot.
with

compared as (

    select
        fit,
        actual_value,
        expected_orders - actual_orders as error,
        baseline_orders - actual_orders as baseline_error,
        {{ seg_sql.round('clv') }} as value,
        {{ seg_sql.round('baseline_orders * coalesce(monetary_value, 0)') }} as baseline_value
    from {{ scored }} as scored

),

edges as (

    select
        fit,
        count(*) as customers,
        percentile_cont(0.9) within group (order by value) as edge,
        percentile_cont(0.9) within group (order by baseline_value) as baseline_edge
    from compared
    group by fit

),

sums as (

    select
        compared.fit,
        min(edges.customers) as customers,
        avg(abs(error)) as mae,
        avg(abs(baseline_error)) as baseline_mae,
        sqrt(avg(error * error)) as rmse,
        sqrt(avg(cast(baseline_error * baseline_error as {{ seg_sql.double() }}))) as baseline_rmse,
        avg(error) as bias,
        avg(baseline_error) as baseline_bias,
        sum(actual_value) as revenue,
        count(case when value > edge then 1 end) as above,
        count(case when value >= edge then 1 end) as near,
        sum(case when value > edge then actual_value else 0 end) as revenue_above,
        sum(case when value >= edge then actual_value else 0 end) as revenue_near,
        count(case when baseline_value > baseline_edge then 1 end) as baseline_above,
        count(case when baseline_value >= baseline_edge then 1 end) as baseline_near,
        sum(case when baseline_value > baseline_edge then actual_value else 0 end)
            as baseline_revenue_above,
        sum(case when baseline_value >= baseline_edge then actual_value else 0 end)
            as baseline_revenue_near
    from compared
    inner join edges on edges.fit = compared.fit
    group by compared.fit

)

select
    fit, mae, baseline_mae, rmse, baseline_rmse, bias, baseline_bias, customers, revenue,
    above, near, revenue_above, revenue_near,
    baseline_above, baseline_near, baseline_revenue_above, baseline_revenue_near
from sums
order by fit
