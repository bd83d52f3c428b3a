-- P(alive), expected orders and value of each customer, from the parameters of the group's fit.
-- Grain: one row per customer. The expected value of an order is Gamma-Gamma's (Fader & Hardie
-- 2013); where its mean is infinite (q <= 1), a repeat customer's own mean, and `prior` for others.
with

customers as (

    {{ customers }}
    {{ seg_sql.fence() }}

),

expected as (

    {{ expected }}

),

{% for side, integral in integrals.items() -%}
{{ side }} as (

    {{ integral }}

),

{% endfor -%}
alive as (

    select
        {% for column in kept -%}
        customers.{{ column }},
        {% endfor -%}
        customers.fit,
        customers.frequency, customers.recency, customers.age, customers.monetary_value,
        expected.orders,
        expected.discounted_orders,
        {% if model == 'pareto_nbd' -%}
        -(fits.r + customers.frequency) * ln(fits.alpha + customers.age)
            - fits.s * ln(fits.beta + customers.age) as alive,
        ln(fits.s) + g.value as left_before,
        ln(fits.r + customers.frequency) + h.value as still_there
        {%- elif model == 'mbg_nbd' -%}
        ln(fits.a / (fits.b + customers.frequency))
            + (fits.r + customers.frequency)
            * ln((fits.alpha + customers.age) / (fits.alpha + customers.recency)) as odds
        {%- else -%}
        case
            when customers.frequency > 0
                then ln(fits.a / (fits.b + greatest(customers.frequency, 1) - 1))
                    + (fits.r + customers.frequency)
                    * ln((fits.alpha + customers.age) / (fits.alpha + customers.recency))
            else -200
        end as odds
        {%- endif %}
    from customers
    inner join {{ seg_sql.clv_rows(fits, names) }} on fits.fit = customers.fit
    inner join expected
        on expected.fit = customers.fit
        and expected.frequency = customers.frequency
        and expected.age = customers.age
    {% if integrals -%}
    -- Not inner joins, as in pareto_nbd.sql.
    left join g
        on g.fit = customers.fit
        and g.frequency = customers.frequency
        and g.since = customers.recency
    left join h
        on h.fit = customers.fit
        and h.frequency = customers.frequency
        and h.since = customers.age
    {% endif -%}
    {{ seg_sql.fence() }}

),

{% if model == 'pareto_nbd' -%}
summed as (

    select
        alive.*,
        greatest(left_before, still_there)
            + ln(1 + exp(-least(abs(left_before - still_there), 200))) as whole
    from alive
    {{ seg_sql.fence() }}

),

{% endif -%}
bought as (

    select
        {% for column in kept -%}
        {{ column }},
        {% endfor -%}
        fit, frequency, recency, age, monetary_value, orders, discounted_orders,
        {% if model == 'pareto_nbd' -%}
        exp(greatest(least(alive - whole, 0), -600)) as p_alive
        {%- else -%}
        1 / (1 + exp(greatest(least(odds, 600), -200))) as p_alive
        {%- endif %}
    from {{ 'summed' if model == 'pareto_nbd' else 'alive' }}
    {{ seg_sql.fence() }}

),

valued as (

    select
        {% for column in kept -%}
        bought.{{ column }},
        {% endfor -%}
        bought.fit, bought.frequency, bought.recency, bought.age, bought.monetary_value,
        bought.p_alive,
        bought.p_alive * bought.orders as expected_orders,
        bought.p_alive * bought.discounted_orders as discounted_orders,
        case
            when spent.q > 1 and bought.frequency > 0 and bought.monetary_value is not null
                then spent.p
                    * (spent.v + bought.frequency * least(greatest(bought.monetary_value, 0), spent.cap))
                    / (spent.p * bought.frequency + spent.q - 1)
            when bought.frequency > 0 and bought.monetary_value >= 0
                then least(bought.monetary_value, spent.cap)
            else spent.prior
        end as expected_order_value
    from bought
    inner join {{ seg_sql.clv_rows(spent, ['fit', 'p', 'q', 'v', 'cap', 'prior'], 'spent') }}
        on spent.fit = bought.fit
    {{ seg_sql.fence() }}

)

select
    {% for column in kept -%}
    {{ column }},
    {% endfor -%}
    fit, frequency, recency, age, monetary_value, p_alive, expected_orders, expected_order_value,
    {{ seg_sql.lit(margin) }} * expected_order_value * discounted_orders as clv
from valued
