-- The order lines that count, with their basket: a table, of which a database knows the size when it
-- plans what follows.
-- Grain: order line.
select
    {%- if grouped %}
    {{ group_key }} as group_key,
    {%- endif %}
    {%- if weighted %}
    order_date,
    {%- endif %}
    {{ unit }} as unit_id,
    item_id
from {{ relation }} as lines
where {{ counts }}
