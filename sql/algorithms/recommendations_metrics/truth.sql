-- What the customers who were known before bought afterwards{{ ', new to them' if exclude_bought }}.
-- Grain: customer and item.
select later.customer_id, later.item_id
from {{ later }} as later
inner join (select distinct customer_id from {{ earlier }} as earlier) as known
    on known.customer_id = later.customer_id
{%- if exclude_bought %}
left join {{ earlier }} as before
    on before.customer_id = later.customer_id
    and before.item_id = later.item_id
where before.customer_id is null
{%- endif %}
