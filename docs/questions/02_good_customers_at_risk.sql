-- Which good customers are we about to lose?
-- One row per customer who is at risk by their own rhythm and spent more than most; whom to call.
select
    rfm.customer_id,
    rfm.segment,
    rfm.monetary as spent,
    customer_lifecycle.orders,
    customer_lifecycle.last_order_date,
    customer_lifecycle.days_since_last
from rfm
inner join customer_lifecycle on customer_lifecycle.customer_id = rfm.customer_id
where customer_lifecycle.stage = 'at_risk' and rfm.m_score >= 4
order by rfm.monetary desc, rfm.customer_id
limit 100
