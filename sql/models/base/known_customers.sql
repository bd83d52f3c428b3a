-- What the input customers knows of each customer beside the orders.
-- Grain: one row per customer_id; of several rows for one customer the earliest first order counts.
-- A first order in the year 1, as some systems write for "unknown", is none.
{{ config(materialized='ephemeral') }}

with

customers as (

    select
        customer_id,
        case
            when {{ seg_sql.is_day('cast(first_order_date as timestamp)') }} then first_order_date
        end as first_order_date
    from {{ input('customers') }} as customers
    where customer_id is not null

),

earliest as (

    select customer_id, min(first_order_date) as first_order_date
    from customers
    group by customer_id

)

select * from earliest
