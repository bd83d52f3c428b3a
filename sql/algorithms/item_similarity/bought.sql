-- Which items are in which baskets; an item twice in a basket is there once.
-- Grain: basket and item, in the order of the baskets.
select distinct units.unit_no, items.item_no
from {{ lines }} as lines
inner join {{ items }} as items
    on items.item_id = lines.item_id
    {%- if grouped %}
    and items.group_key = lines.group_key
    {%- endif %}
inner join {{ units }} as units
    on units.unit_id = lines.unit_id
    {%- if grouped %}
    and units.group_key = lines.group_key
    {%- endif %}
order by units.unit_no
