-- The value of each customer without a model: what it was so far (historic), or own mean value
-- times own rate of repeat purchases times the mean lifespan of repeat customers (average).
-- Grain: one row per customer, with the columns of scored.sql.
with

customers as (

    {{ customers }}

),

lifespans as (

    select fit, avg(case when frequency > 0 then recency end) as lifespan
    from customers
    group by fit

),

means as (

    select
        {% for column in kept -%}
        customers.{{ column }},
        {% endfor -%}
        customers.fit,
        customers.frequency, customers.recency, customers.age, customers.monetary_value,
        {% if has_history -%}
        coalesce({{ seg_sql.safe_div('customers.historic_value', 'customers.frequency + 1') }}, 0)
        {%- else -%}
        coalesce(customers.monetary_value, 0)
        {%- endif %} as mean_value,
        coalesce({{ seg_sql.safe_div('customers.frequency', 'customers.age') }}, 0) as rate,
        coalesce(lifespans.lifespan, 0) as lifespan
    from customers
    inner join lifespans on lifespans.fit = customers.fit

)

select
    {% for column in kept -%}
    {{ column }},
    {% endfor -%}
    fit, frequency, recency, age, monetary_value,
    cast(null as {{ seg_sql.double() }}) as p_alive,
    {% if method == 'average' -%}
    rate * lifespan as expected_orders,
    {%- else -%}
    cast(null as {{ seg_sql.double() }}) as expected_orders,
    {%- endif %}
    mean_value as expected_order_value,
    {% if method == 'average' -%}
    {{ seg_sql.lit(margin) }} * mean_value * rate * lifespan as clv
    {%- elif has_history -%}
    {{ seg_sql.lit(margin) }} * coalesce(historic_value, 0) as clv
    {%- else -%}
    {{ seg_sql.lit(margin) }} * frequency * mean_value as clv
    {%- endif %}
from means
