-- Which model clv is from, in which unit of time, and up to when it looks.
-- Grain: one row.
select
    min({{ seg_sql.bin_text('clv.model') }}) as model,
    min({{ seg_sql.bin_text('fit.time_unit') }}) as time_unit,
    max(clv.horizon_end) as horizon_end,
    max(clv.as_of) as as_of,
    count(*) as customers,
    sum(clv.clv) as clv,
    avg(clv.p_alive) as p_alive,
    sum(clv.expected_orders) as expected_orders,
    max(case when clv.frequency > 0 then clv.age - clv.recency end) as longest_wait
from {{ ref('clv') }} as clv
left join {{ ref('clv_fit') }} as fit
    on fit.group_key = clv.group_key
    and fit.model = clv.model
    and fit.fit = 'full'
where clv.group_key = {{ seg_sql.param('group_key') }}
