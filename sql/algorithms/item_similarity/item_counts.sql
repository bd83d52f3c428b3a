-- How many baskets each item is in.
-- Grain: item.
select
    item_no,
    count(*) as baskets,
    {{ 'sum(weight)' if weighted else 'cast(count(*) as ' ~ seg_sql.double() ~ ')' }} as weight
from (
    select weight, {{ seg_sql.unnested('item_nos') }} as item_no
    from {{ baskets }} as baskets
) as bought
group by item_no
