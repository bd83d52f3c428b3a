-- Which items each basket has; an item that is in it twice counts once.
-- Grain: basket_number, catalogue_number.
select distinct
    baskets.basket_number,
    catalogue.catalogue_number
from {{ kept }} as kept
inner join {{ baskets }} as baskets
    on baskets.order_id = kept.order_id
    {%- if partitioned %}
    and baskets.group_key = kept.group_key
    {%- endif %}
inner join {{ catalogue }} as catalogue
    on catalogue.item_id = kept.item_id
    {%- if partitioned %}
    and catalogue.group_key = kept.group_key
    {%- endif %}
