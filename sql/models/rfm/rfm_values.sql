-- Recency, frequency and monetary value of each customer, before they are scored.
-- Grain: one row per customer with a purchase. Only purchases count for recency and frequency;
-- every order, refunds too, counts for monetary.
{{ config(materialized='table', unique_key='customer_id') }}

with

orders as (

    select customer_id, order_date, amount, is_purchase
    from {{ ref('orders') }} as orders
    {%- if var('rfm').window %}
    where order_date >= {{ seg_sql.add_days(seg_sql.as_of(), -1 * var('rfm').window) }}
    {%- endif %}

),

customers as (

    select
        customer_id,
        min(case when is_purchase then order_date end) as first_order_date,
        max(case when is_purchase then order_date end) as last_order_date,
        count(case when is_purchase then 1 end) as purchases,
        {{ seg_sql.round('sum(amount)') }} as monetary
    from orders
    group by customer_id

),

measured as (

    select
        customers.customer_id,
        {% if input_has('customers', 'first_order_date') -%}
        least(customers.first_order_date, known_customers.first_order_date) as first_order_date,
        {%- else -%}
        customers.first_order_date,
        {%- endif %}
        customers.last_order_date,
        {{ seg_sql.days_between('customers.last_order_date', seg_sql.as_of()) }} as recency,
        customers.purchases as frequency,
        customers.monetary
    from customers
    {%- if input_has('customers', 'first_order_date') %}
    left join {{ ref('known_customers') }} as known_customers
        on known_customers.customer_id = customers.customer_id
    {%- endif %}
    where customers.purchases > 0

)

select * from measured
