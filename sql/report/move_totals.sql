-- How many customers have a segment of rfm at both of the last two as_of, how many of these
-- changed it, and how many are new.
-- Grain: one row.
select
    min(from_as_of) as from_as_of,
    max(to_as_of) as to_as_of,
    {{ seg_sql.isum(
        'case when from_segment is not null and to_segment is not null then customers else 0 end'
    ) }} as customers,
    {{ seg_sql.isum('case when from_segment <> to_segment then customers else 0 end') }} as changed,
    {{ seg_sql.isum('case when from_segment is null then customers else 0 end') }} as new_customers
from {{ ref('segment_moves') }} as segment_moves
where source = 'rfm'
