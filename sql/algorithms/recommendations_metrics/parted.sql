-- The order lines of one side of the split.
-- Grain: order line.
select lines.*
from {{ relation }} as lines
{%- if last_orders %}
left join {{ last_orders }} as last_orders
    on last_orders.customer_id = lines.customer_id
    and last_orders.order_id = lines.order_id
where {{ 'last_orders.order_id is not null' if later else 'last_orders.order_id is null' }}
{%- else %}
where lines.order_date {{ '>=' if later else '<' }} {{ since }}
{%- endif %}
