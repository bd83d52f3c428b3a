-- What the input customers knows of each customer beside the orders.
-- Grain: one row per customer_id; of several rows for one customer the earliest first order counts.
{{ config(materialized='ephemeral') }}

with

customers as (

    select customer_id, first_order_date
    from {{ input('customers') }} as customers
    where customer_id is not null

),

earliest as (

    select customer_id, min(first_order_date) as first_order_date
    from customers
    group by customer_id

)

select * from earliest
