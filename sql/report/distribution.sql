-- How many customers have a value in each bar of a measure; the last bar is open to the right,
-- the first holds what lies below it.
-- Grain: one row per bar; bars of fewer than min_group customers are left out.
with

bars as (

    select
        cast(
            floor(least(greatest(
                {{ seg_sql.safe_div(column ~ ' - ' ~ seg_sql.lit(first), seg_sql.lit(width)) }}, 0
            ), {{ last }})) as integer
        ) as bar
    from {{ ref('rfm') }} as rfm

)

select bar, count(*) as customers
from bars
group by bar
having count(*) >= {{ min_group }}
order by bar
