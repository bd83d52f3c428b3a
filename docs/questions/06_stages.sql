-- How many customers are new, active, reactivated, at risk and churned, in each segment?
-- One row per segment.
select
    rfm.segment,
    count(*) as customers,
    sum(case when customer_lifecycle.stage = 'new' then 1 else 0 end) as new_customers,
    sum(case when customer_lifecycle.stage = 'active' then 1 else 0 end) as active,
    sum(case when customer_lifecycle.stage = 'reactivated' then 1 else 0 end) as reactivated,
    sum(case when customer_lifecycle.stage = 'at_risk' then 1 else 0 end) as at_risk,
    sum(case when customer_lifecycle.stage = 'churned' then 1 else 0 end) as churned
from rfm
inner join customer_lifecycle on customer_lifecycle.customer_id = rfm.customer_id
group by rfm.segment, rfm.segment_order
order by rfm.segment_order
