-- The items of each group with a number each, by which they are counted from here on.
-- Grain: group and item.
select
    cast(row_number() over (
        order by {{ seg_sql.bin_text('group_key') }}, {{ seg_sql.bin('item_id') }}
    ) as integer) as item_no,
    group_key,
    item_id,
    item_name,
    is_recommendable
from (
    select
        {{ group_key }} as group_key,
        item_id,
        min({{ seg_sql.bin_text('item_name') }}) as item_name,
        case when min(case when is_recommendable then 1 else 0 end) = 1 then true else false end
            as is_recommendable
    from {{ relation }} as lines
    where {{ counts }}
    group by {{ '1, ' if grouped }}item_id
) as items
