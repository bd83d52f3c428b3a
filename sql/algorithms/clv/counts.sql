-- Customers who are equal to a model of buying, counted once.
-- Grain: fit, frequency, recency, age. The likelihood of a customer depends on nothing else
-- (REFERENCE: Fader, Hardie & Lee 2005; Schmittlein, Morrison & Colombo 1987).
{% for customers in parts -%}
select
    fit,
    frequency,
    recency,
    age,
    cast(count(*) as {{ seg_sql.double() }}) as customers
from (
    {{ customers }}
) as customers
group by fit, frequency, recency, age
{{ 'union all' if not loop.last }}
{% endfor %}
