-- Who are our customers, and which segments bring the money?
-- One row per segment; the shares add up to 100 %.
select
    segment,
    customers,
    round(cast(100 * customer_share as numeric(30, 6)), 1) as percent_of_customers,
    round(cast(revenue as numeric(30, 6)), 2) as revenue,
    round(cast(100 * revenue_share as numeric(30, 6)), 1) as percent_of_revenue,
    suggested_action
from rfm_segments
order by segment_order
