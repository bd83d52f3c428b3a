-- The baskets of each group with a number each, and the weight of each by its age.
-- Grain: group and basket.
select
    cast(row_number() over (
        order by {{ seg_sql.bin_text('group_key') }}, {{ seg_sql.bin('unit_id') }}
    ) as bigint) as unit_no,
    group_key,
    unit_id,
    {{ weight }} as weight
from (
    select
        {{ group_key }} as group_key,
        {{ unit }} as unit_id,
        max(order_date) as last_date
    from {{ relation }} as lines
    where {{ counts }}
    group by {{ unit if group_key == "'all'" else '1, ' ~ unit }}
) as units
