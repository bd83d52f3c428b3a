-- The frequent items: itemsets of one item.
-- Grain: set_number. Two sets with the same prefix_number differ in their last item only; those of
-- one item have no item before it, and share their group.
with

counted as (

    select item_number, count(*) as baskets
    from (
        select {{ seg_sql.unnested('last_items') }} as item_number
        from {{ baskets }} as baskets
    ) as bought
    group by item_number

)

select
    catalogue.item_number as set_number,
    catalogue.partition_number as prefix_number,
    catalogue.item_number as item_1,
    catalogue.item_number as last_item,
    counted.baskets,
    catalogue.item_id,
    catalogue.item_text,
    catalogue.group_key,
    catalogue.all_baskets,
    catalogue.min_baskets
from counted
inner join {{ catalogue }} as catalogue
    on catalogue.item_number = counted.item_number
where counted.baskets >= catalogue.min_baskets
