-- What the input items knows of each item.
-- Grain: one row per item_id; of several rows for one item the first by its name counts.
-- An item that does not say so is a product, and is recommendable.
{{ config(materialized='ephemeral') }}

with

items as (

    select
        {{ seg_sql.item_key('item_id') }} as item_id,
        name,
        category,
        coalesce(is_product, true) as is_product,
        coalesce(recommendable, true) as recommendable
    from {{ input('items') }} as items
    where item_id is not null

),

numbered as (

    select
        item_id,
        name,
        category,
        is_product,
        recommendable,
        row_number() over (
            partition by item_id
            order by
                {{ seg_sql.bin_text('name') }} nulls last,
                {{ seg_sql.bin_text('category') }} nulls last,
                is_product,
                recommendable
        ) as copy_number
    from items

),

catalogue as (

    select item_id, name, category, is_product, recommendable
    from numbered
    -- Not `= 1`: PostgreSQL would expect one row in 200, and compare each order line with each item.
    where copy_number < 2

)

select * from catalogue
