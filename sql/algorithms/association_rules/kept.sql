-- The order lines that are an item in a basket.
-- Grain: order line. They are kept in a table, so that what joins them knows how many they are.
select
    {%- if partitioned %}
    {{ group_key }} as group_key,
    {%- endif %}
    {%- if has_name %}
    cast(item_name as {{ seg_sql.text() }}) as item_name,
    {%- endif %}
    order_id,
    item_id
from {{ relation }} as lines
where {{ counts }}
