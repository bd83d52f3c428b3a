-- The group with the most customers, and how many groups there are.
-- Grain: one row.
with

groups as (

    select group_key, count(*) as customers
    from {{ ref(model) }} as built
    group by group_key

)

select group_key, customers, count(*) over () as group_count
from groups
order by customers desc, {{ seg_sql.bin('group_key') }}
limit 1
