-- How many customers have each pair of recency and frequency scores, and what they spent.
-- Grain: one row per pair; pairs of fewer than min_group customers are left out.
select
    r_score,
    f_score,
    count(*) as customers,
    avg(monetary) as avg_monetary
from {{ ref('rfm') }} as rfm
group by r_score, f_score
having count(*) >= {{ min_group }}
order by r_score, f_score
