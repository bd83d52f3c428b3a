-- Each customer's list of the items that go with what he bought, and which of his own items speaks
-- most for each.
-- Grain: one row per customer_id and place. A score is rounded before it is compared; equal ones are
-- in the order of the items' ids.
{{ config(materialized='ephemeral') }}

{%- set options = var('recommendations') %}
{%- set aged = options.half_life_days is not none and input_has('order_lines', 'ordered_at') %}

with

-- What was bought lately counts more: half as much after each half-life.
own_items as (

    select
        customer_id,
        item_id,
        {{ seg_sql.age_weight('last_date', seg_sql.as_of(), options.half_life_days)
            if aged else seg_sql.lit(1.0) }} as weight
    from {{ ref('listed_items') }} as listed_items

),

-- Two items that meet no more often than by chance are no reason to recommend one for the other.
similar_items as (

    select item_id, similar_item_id, max(similarity) as similarity
    from {{ ref('item_similarity') }} as item_similarity
    where similarity > 0 and lift > 1
    group by item_id, similar_item_id

),

candidates as (

    select
        own_items.customer_id,
        similar_items.similar_item_id as item_id,
        {{ seg_sql.round('sum(own_items.weight * similar_items.similarity)', 9) }} as score
    from own_items
    inner join similar_items
        on similar_items.item_id = own_items.item_id
    {%- if options.exclude_bought %}
    left join {{ ref('listed_items') }} as bought
        on bought.customer_id = own_items.customer_id
        and bought.item_id = similar_items.similar_item_id
    where bought.customer_id is null
    {%- endif %}
    group by own_items.customer_id, similar_items.similar_item_id

),

listed as (

    select customer_id, item_id, score, place
    from {{ seg_sql.first_items('candidates', options.top_n) }} as first_items

),

-- The item that adds most to a score is the reason.
because as {{ seg_sql.materialized() }} (

    select listed.customer_id, listed.item_id, own_items.item_id as own_item_id, own_items.weight
    from listed
    inner join own_items
        on own_items.customer_id = listed.customer_id

),

shares as (

    select
        because.customer_id,
        because.item_id,
        because.own_item_id,
        row_number() over (
            partition by because.customer_id, because.item_id
            order by
                {{ seg_sql.round('because.weight * similar_items.similarity', 9) }} desc nulls last,
                {{ seg_sql.bin('because.own_item_id') }}
        ) as share_place
    from because
    inner join similar_items
        on similar_items.item_id = because.own_item_id
        and similar_items.similar_item_id = because.item_id

),

explained as (

    select
        listed.customer_id,
        listed.place,
        listed.item_id,
        listed.score,
        shares.own_item_id as because_item_id
    from listed
    left join shares
        on shares.customer_id = listed.customer_id
        and shares.item_id = listed.item_id
        and shares.share_place = 1

)

select * from explained
