-- What the model expects of customers, by how often and how long ago they bought.
-- Grain: one row per number of repeat purchases and time since the last one, in steps of `width`;
-- cells of fewer than min_group customers are left out.
with

cells as (

    select
        case
            {%- for lowest in repeats[1:] | reverse %}
            when frequency >= {{ lowest }} then {{ repeats | length - loop.index }}
            {%- endfor %}
            else 0
        end as repeats,
        cast(floor(least(
            {{ seg_sql.safe_div('age - recency', seg_sql.lit(width)) }}, {{ last }}
        )) as integer) as wait,
        expected_orders,
        p_alive
    from {{ ref('clv') }} as clv
    where group_key = {{ seg_sql.param('group_key') }}

)

select
    repeats,
    wait,
    count(*) as customers,
    avg(expected_orders) as expected_orders,
    avg(p_alive) as p_alive
from cells
group by repeats, wait
having count(*) >= {{ min_group }}
order by repeats, wait
