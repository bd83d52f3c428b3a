-- How many customers went from which segment of rfm to which between the last two as_of, and why.
-- Grain: one row per pair of segments and reason.
select
    from_as_of,
    to_as_of,
    from_segment,
    to_segment,
    {{ seg_sql.isum('customers') }} as customers
from {{ ref('segment_moves') }} as segment_moves
where source = 'rfm'
group by from_as_of, to_as_of, from_segment, to_segment
having sum(customers) >= {{ min_group }}
order by {{ seg_sql.bin('from_segment') }} nulls first, {{ seg_sql.bin('to_segment') }} nulls last
