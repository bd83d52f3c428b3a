-- The baskets of each group, each with its items as a list, and its weight by its age. An item twice
-- in a basket is there once.
-- Grain: group and basket.
select
    {{ 'lines.group_key' if grouped else "'all'" }} as group_key,
    lines.unit_id,
    {{ weight }} as weight,
    {{ seg_sql.set_of('items.item_no') }} as item_nos
from {{ lines }} as lines
inner join {{ items }} as items
    on items.item_id = lines.item_id
    {%- if grouped %}
    and items.group_key = lines.group_key
    {%- endif %}
group by {{ 'lines.group_key, ' if grouped }}lines.unit_id
