-- How regular purchases are: the median of the customers' coefficients of variation of gaps.
-- One row.
select
    percentile_cont(0.5) within group (order by summary.gap_variation) as median_variation,
    count(summary.gap_variation) as customers
from {{ relation }} as summary
where summary.gap_variation is not null
