-- What each customer bought, and when last.
-- Grain: one row per customer_id and item_id. A table of its own: recommendations read it many times.
{{ config(materialized='table', unique_key=['customer_id', 'item_id']) }}

with

bought as (

    select
        customer_id,
        item_id,
        count(distinct order_id) as orders,
        max(order_date) as last_date
    from {{ ref('item_lines') }} as item_lines
    where reason = 'kept' and customer_id is not null
    group by customer_id, item_id

)

select * from bought
