-- The frequent items: itemsets of one item. The rarest has the lowest number, so that the first
-- items of larger sets are in few baskets; equally frequent ones are in the order of their ids.
-- Grain: set_number. Two sets with the same prefix_number differ in their last item only; those of
-- one item have no item before it, and share their group.
with

counted as (

    select catalogue_number, count(*) as baskets
    from (
        select {{ seg_sql.unnested('item_numbers') }} as catalogue_number
        from {{ baskets }} as baskets
    ) as bought
    group by catalogue_number

),

numbered as (

    select
        cast(
            row_number() over (
                order by
                    partitions.partition_number,
                    counted.baskets,
                    {{ seg_sql.bin('catalogue.item_id') }}
            ) as integer
        ) as set_number,
        partitions.partition_number as prefix_number,
        counted.catalogue_number,
        counted.baskets,
        catalogue.item_id,
        catalogue.item_text,
        partitions.group_key,
        partitions.all_baskets,
        partitions.min_baskets
    from counted
    inner join {{ catalogue }} as catalogue
        on catalogue.catalogue_number = counted.catalogue_number
    inner join {{ partitions }} as partitions
        on partitions.group_key = catalogue.group_key
    where counted.baskets >= partitions.min_baskets

)

select
    set_number,
    prefix_number,
    set_number as item_1,
    set_number as last_item,
    catalogue_number,
    baskets,
    item_id,
    item_text,
    group_key,
    all_baskets,
    min_baskets
from numbered
