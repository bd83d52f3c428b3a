-- The frequent items of each basket, basket by basket, which makes what joins them faster.
-- Grain: class_key, set_number. A class is what two sets must share to be joined to a larger one: a
-- basket and the items before the last, of which there are none here.
select
    {{ seg_sql.packed('bought.basket_number', 0) }} as class_key,
    items.set_number,
    items.set_number as last_item
from (
    select basket_number, {{ seg_sql.unnested('item_numbers') }} as catalogue_number
    from (
        select {{ seg_sql.some_number() }} as basket_number, item_numbers
        from {{ baskets }} as baskets
    ) as numbered
) as bought
inner join {{ items }} as items
    on items.catalogue_number = bought.catalogue_number
