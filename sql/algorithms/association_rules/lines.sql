-- The frequent items of each basket, ordered by basket, which makes what joins them faster.
-- Grain: class_key, set_number. A class is what two sets must share to be joined to a larger one: a
-- basket and the items before the last, of which there are none here.
select
    {{ seg_sql.packed('bought.basket_number', 0) }} as class_key,
    items.set_number,
    items.set_number as last_item
from {{ bought }} as bought
inner join {{ items }} as items
    on items.catalogue_number = bought.catalogue_number
order by bought.basket_number, items.set_number
