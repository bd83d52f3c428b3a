-- Each customer's list of the items that the customers most like him bought.
-- Grain: one row per customer_id and place. A score is rounded before it is compared; equal ones are
-- in the order of the items' ids.
{{ config(materialized='ephemeral') }}

{%- set options = var('recommendations') %}
{%- set aged = options.half_life_days is not none and input_has('order_lines', 'ordered_at') %}

with

-- What nearly everybody buys says little of who is alike, and would pair everybody with everybody.
telling_items as (

    select item_id
    from {{ ref('customer_items') }} as customer_items
    group by item_id
    having count(*) between 2 and {{ options.max_item_customers }}

),

telling as (

    select customer_items.customer_id, customer_items.item_id
    from {{ ref('customer_items') }} as customer_items
    inner join telling_items
        on telling_items.item_id = customer_items.item_id

),

sizes as (

    select customer_id, count(*) as items
    from telling
    group by customer_id

),

shared as (

    select mine.customer_id, theirs.customer_id as neighbour_id, count(*) as items
    from {{ ref('listed_items') }} as mine
    inner join telling as theirs
        on theirs.item_id = mine.item_id
        and theirs.customer_id <> mine.customer_id
    group by mine.customer_id, theirs.customer_id

),

alike as (

    select
        shared.customer_id,
        shared.neighbour_id,
        {{ seg_sql.round(
            seg_sql.pair_measure('cosine', 'shared.items', 'mine.items', 'theirs.items', 1), 12
        ) }} as similarity
    from shared
    inner join sizes as mine
        on mine.customer_id = shared.customer_id
    inner join sizes as theirs
        on theirs.customer_id = shared.neighbour_id

),

numbered_neighbours as (

    select
        customer_id,
        neighbour_id,
        similarity,
        row_number() over (
            partition by customer_id order by similarity desc nulls last, {{ seg_sql.bin('neighbour_id') }}
        ) as place
    from alike

),

-- What was bought lately counts more: half as much after each half-life.
their_items as (

    select
        customer_id,
        item_id,
        {{ seg_sql.age_weight('last_date', seg_sql.as_of(), options.half_life_days)
            if aged else seg_sql.lit(1.0) }} as weight
    from {{ ref('customer_items') }} as customer_items

),

candidates as (

    select
        neighbours.customer_id,
        their_items.item_id,
        {{ seg_sql.round('sum(neighbours.similarity * their_items.weight)', 9) }} as score
    from numbered_neighbours as neighbours
    inner join their_items
        on their_items.customer_id = neighbours.neighbour_id
    inner join {{ ref('popular_items') }} as recommendable
        on recommendable.item_id = their_items.item_id
    {%- if options.exclude_bought %}
    left join {{ ref('listed_items') }} as bought
        on bought.customer_id = neighbours.customer_id
        and bought.item_id = their_items.item_id
    {%- endif %}
    where
        neighbours.place <= {{ options.neighbours }}
        {%- if options.exclude_bought %}
        and bought.customer_id is null
        {%- endif %}
    group by neighbours.customer_id, their_items.item_id

),

listed as (

    select customer_id, place, item_id, score, nullif(item_id, item_id) as because_item_id
    from {{ seg_sql.first_items('candidates', options.top_n) }} as first_items

)

select * from listed
