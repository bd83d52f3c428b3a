-- The baskets without items that are in too few of them: a pair with such an item is never made.
-- Grain: basket and item.
select
    {%- if weighted %}
    units.weight,
    {%- endif %}
    bought.unit_no,
    bought.item_no
from {{ bought }} as bought
inner join {{ counts }} as counts
    on counts.item_no = bought.item_no
    and counts.baskets >= {{ min_item_baskets }}
{%- if weighted %}
inner join {{ units }} as units
    on units.unit_no = bought.unit_no
{%- endif %}
