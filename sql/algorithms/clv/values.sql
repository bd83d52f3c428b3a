-- What Gamma-Gamma is fitted on: x and the sum of the repeat purchases, z = x m.
-- Grain: one row per customer with a repeat purchase of some value; a mean above the cap counts as
-- the cap.
{% for customers in parts -%}
select
    customers.fit,
    customers.frequency as x,
    {% if caps -%}
    customers.frequency * least(customers.monetary_value, caps.cap) as z
    {%- else -%}
    customers.frequency * customers.monetary_value as z
    {%- endif %}
from (
    {{ customers }}
) as customers
{% if caps -%}
inner join {{ seg_sql.clv_rows(caps, ['fit', 'cap'], 'caps') }} on caps.fit = customers.fit
{% endif -%}
where customers.frequency > 0
    and customers.monetary_value > 0
    and {{ seg_sql.is_finite('customers.monetary_value') }}
{{ 'union all' if not loop.last }}
{% endfor %}
