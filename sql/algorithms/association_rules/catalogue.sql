-- The items of all baskets, each with a number and a readable text: its name, or else its id. The
-- item in the fewest lines has the lowest number, so that the first items of larger sets are in few
-- baskets; those in equally many are in the order of their ids.
-- Grain: group_key, item_id. An item in too few lines cannot be in enough baskets; one in enough
-- lines can be twice in a basket.
select
    cast(
        row_number() over (
            order by
                partitions.partition_number,
                items.lines,
                {{ seg_sql.bin('items.item_id') }}
        ) as integer
    ) as item_number,
    items.item_id,
    coalesce(items.item_name, {{ seg_sql.bin('items.item_id') }}) as item_text,
    case when items.lines >= partitions.min_baskets then 1 else 0 end as may_be_frequent,
    partitions.group_key,
    partitions.partition_number,
    partitions.all_baskets,
    partitions.min_baskets
from (
    select
        {{ 'group_key' if partitioned else "'all' as group_key" }},
        item_id,
        {{ 'min(' ~ seg_sql.bin_text('item_name') ~ ')' if has_name else 'null' }} as item_name,
        count(*) as lines
    from {{ kept }} as kept
    group by {{ 'group_key, ' if partitioned }}item_id
) as items
inner join {{ partitions }} as partitions
    on partitions.group_key = items.group_key
