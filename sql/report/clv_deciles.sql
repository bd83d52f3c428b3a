-- What each tenth of the customers is worth, the best first.
-- Grain: one row per tenth; one of fewer than min_group customers is left out.
select
    clv_decile,
    count(*) as customers,
    sum(clv) as clv,
    avg(clv) as avg_clv,
    avg(p_alive) as p_alive,
    avg(expected_orders) as expected_orders
from {{ ref('clv') }} as clv
where group_key = {{ seg_sql.param('group_key') }}
group by clv_decile
having count(*) >= {{ min_group }}
order by clv_decile
