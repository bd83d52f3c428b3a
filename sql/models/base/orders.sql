-- The orders of known customers.
-- Grain: one row per order_id and customer_id; an order id that two customers share is two orders.
-- An order is a purchase unless it has a negative line and its net amount is zero or less.
{{ config(materialized='table', unique_key=['order_id', 'customer_id']) }}

with

lines as (

    select customer_id, order_id, ordered_at, quantity, amount
    from {{ ref('order_lines_clean') }} as order_lines_clean
    where customer_id is not null

),

totals as (

    select
        order_id,
        customer_id,
        min(ordered_at) as ordered_at,
        {{ seg_sql.round('sum(amount)') }} as amount,
        count(*) as lines,
        {{ seg_sql.round('sum(quantity)') }} as items,
        max(case when amount < 0 or quantity < 0 then 1 else 0 end) as has_negative_line
    from lines
    group by order_id, customer_id

),

judged as (

    select
        order_id,
        customer_id,
        ordered_at,
        cast(ordered_at as date) as order_date,
        amount,
        lines,
        items,
        case when has_negative_line = 1 and amount <= 0 then false else true end as is_purchase
    from totals

)

select * from judged
