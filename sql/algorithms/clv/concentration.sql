-- The share of all value so far that the best hundredth of the customers holds.
-- One row.
with

edge as (

    select percentile_cont(0.99) within group (order by summary.historic_value) as lowest
    from {{ relation }} as summary

)

select
    {{ seg_sql.safe_div(
        'sum(case when summary.historic_value >= edge.lowest then summary.historic_value end)',
        'sum(summary.historic_value)'
    ) }} as share,
    count(case when summary.historic_value >= edge.lowest then 1 end) as customers,
    count(*) as all_customers
from {{ relation }} as summary
cross join edge
