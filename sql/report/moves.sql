-- How many customers went from which segment of rfm to which between the last two as_of, and how
-- many were in the first of them in all.
-- Grain: one row per pair of segments; pairs of fewer than min_group customers are left out.
with

moves as (

    select from_segment, to_segment, {{ seg_sql.isum('customers') }} as customers
    from {{ ref('segment_moves') }} as segment_moves
    where source = 'rfm'
    group by from_segment, to_segment

),

of_all as (

    select
        from_segment,
        to_segment,
        customers,
        cast(sum(customers) over (partition by from_segment) as bigint) as from_customers
    from moves

)

select from_segment, to_segment, customers, from_customers
from of_all
where customers >= {{ min_group }}
order by {{ seg_sql.bin('from_segment') }} nulls first, {{ seg_sql.bin('to_segment') }} nulls last
