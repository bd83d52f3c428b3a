-- What the customers bought whose lists are made. That is every customer; but the lists of a large
-- shop are made in slices of its customers, one after another, and then it is those of a slice; and
-- where lists are measured, those who are measured.
-- Grain: one row per customer_id and item_id.
{{ config(materialized='ephemeral') }}

with

listed as (

    select customer_id, item_id, last_date
    from {{ ref('customer_items') }} as customer_items

)

select * from listed
