-- The items that may be recommended, the most popular first: in most baskets (orders).
-- Grain: one row per item_id; equally popular items are in the order of their ids.
{{ config(materialized='ephemeral') }}

with

bought as (

    select
        item_id,
        min({{ seg_sql.bin_text('item_name') }}) as item_name,
        count(distinct order_id) as baskets,
        count(distinct customer_id) as customers
    from {{ ref('item_lines') }} as item_lines
    where reason = 'kept' and is_recommendable
    group by item_id

),

placed as (

    select
        item_id,
        item_name,
        baskets,
        customers,
        row_number() over (order by baskets desc nulls last, {{ seg_sql.bin('item_id') }}) as place
    from bought

)

select * from placed
