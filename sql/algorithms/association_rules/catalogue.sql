-- The items of all baskets, each with a number and a readable text: its name, or else its id.
-- Grain: group_key, item_id.
select
    group_key,
    item_id,
    coalesce(item_name, {{ seg_sql.bin('item_id') }}) as item_text,
    cast(row_number() over (order by group_key, item_id) as integer) as catalogue_number
from (
    select
        {{ 'group_key' if partitioned else "'all' as group_key" }},
        item_id,
        {{ 'min(' ~ seg_sql.bin_text('item_name') ~ ')' if has_name else 'null' }} as item_name
    from {{ kept }} as kept
    group by {{ 'group_key, ' if partitioned }}item_id
) as items
