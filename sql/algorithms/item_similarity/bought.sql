-- Which items are in which baskets; an item twice in a basket is there once.
-- Grain: basket and item.
select distinct units.unit_no, items.item_no
from {{ relation }} as lines
inner join {{ items }} as items
    on items.item_id = lines.item_id
    {%- if group_key != "'all'" %}
    and items.group_key = {{ group_key }}
    {%- endif %}
inner join {{ units }} as units
    on units.unit_id = lines.{{ unit }}
    {%- if group_key != "'all'" %}
    and units.group_key = {{ group_key }}
    {%- endif %}
where {{ counts }}
