-- Why customers changed their segment of rfm between the last two as_of; reasons too rare to be
-- shown are one. New and gone customers have not changed it, as in move_totals.
-- Grain: one row per reason.
with

reasons as (

    select reason, {{ seg_sql.isum('customers') }} as customers
    from {{ ref('segment_moves') }} as segment_moves
    where source = 'rfm' and from_segment <> to_segment
    group by reason

),

judged as (

    select
        reason,
        customers,
        {{ seg_sql.too_few('customers', 'reason', min_group) }} as is_small
    from reasons

),

pooled as (

    select
        case when is_small then {{ seg_sql.lit(others) }} else reason end as reason,
        customers
    from judged

)

select reason, {{ seg_sql.isum('customers') }} as customers
from pooled
group by reason
order by 2 desc, 1
