-- The baskets of each group, each with its items as a list, and its weight by its age. An item twice
-- in a basket is there once.
-- Grain: group and basket.
select
    {{ 'items.group_key' if grouped else "'all'" }} as group_key,
    lines.{{ unit }} as unit_id,
    {{ weight }} as weight,
    {{ seg_sql.set_of('items.item_no') }} as item_nos
from (
    select{{ ' ' ~ group_key ~ ' as group_key,' if grouped }}{{ ' order_date,' if weighted }} {{ unit }}, item_id
    from {{ relation }} as order_lines
    where {{ counts }}
) as lines
inner join {{ items }} as items
    on items.item_id = lines.item_id
    {%- if grouped %}
    and items.group_key = lines.group_key
    {%- endif %}
group by {{ 'items.group_key, ' if grouped }}lines.{{ unit }}
