-- How many rows the recommendations have on the way, before they are summed: by them the customers are
-- parted into slices.
-- Grain: some rows, whose sum counts.
{{ config(materialized='ephemeral') }}

{%- set options = var('recommendations') %}

with

buyers as (

    select item_id, count(*) as customers
    from {{ ref('listed_items') }} as listed_items
    group by item_id

),

customers as (

    select count(distinct customer_id) as customers
    from {{ ref('listed_items') }} as listed_items
    {%- if input_has('customers', 'customer_id') %}

    union all

    select count(*) as customers
    from {{ ref('known_customers') }} as known_customers
    {%- endif %}

),

-- What an item of a customer's leads to: similar items, or others who bought it.
{% if options.method == 'similar_items' -%}
leads as (

    select item_id, count(*) as leads
    from {{ ref('item_similarity') }} as item_similarity
    group by item_id

),
{%- else -%}
leads as (

    select item_id, count(*) as leads
    from {{ ref('customer_items') }} as customer_items
    group by item_id
    having count(*) <= {{ options.max_item_customers }}

),
{%- endif %}

on_the_way as (

    select sum(buyers.customers * leads.leads) as row_count
    from buyers
    inner join leads
        on leads.item_id = buyers.item_id

    union all

    select customers * {{ options.top_n }} as row_count
    from customers

)

select * from on_the_way
