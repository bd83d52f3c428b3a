-- What to show each customer next: items that go with what he bought, or that customers like him
-- bought; popular items fill the lists of those of whom too little is known.
-- Grain: one row per customer_id and rank. A score is rounded before it is compared; equal ones are
-- in the order of the items' ids. Popular items come after all others: their score is the number of
-- their baskets, and compares with nothing else.
{{ config(materialized='table', unique_key=['customer_id', 'rank']) }}

{%- set options = var('recommendations') %}
{%- set aged = options.half_life_days is not none and input_has('order_lines', 'ordered_at') %}

with

-- What a customer bought lately counts more: half as much after each half-life.
weighted as (

    select
        customer_id,
        item_id,
        {% if aged -%}
        {{ seg_sql.age_weight('last_date', seg_sql.as_of(), options.half_life_days) }} as weight
        {%- else -%}
        {{ seg_sql.lit(1.0) }} as weight
        {%- endif %}
    from {{ ref('customer_items') }} as customer_items

),

popular as (

    select item_id, item_name, baskets, place
    from {{ ref('popular_items') }} as popular_items

),

{% if options.method == 'similar_items' -%}
-- Two items that meet no more often than by chance are no reason to recommend one for the other.
similar_items as (

    select item_id, similar_item_id, max(similarity) as similarity
    from {{ ref('item_similarity') }} as item_similarity
    where similarity > 0 and lift > 1
    group by item_id, similar_item_id

),

candidates as (

    select
        weighted.customer_id,
        similar_items.similar_item_id as item_id,
        sum(weighted.weight * similar_items.similarity) as score
    from weighted
    inner join similar_items
        on similar_items.item_id = weighted.item_id
    {%- if options.exclude_bought %}
    left join {{ ref('customer_items') }} as bought
        on bought.customer_id = weighted.customer_id
        and bought.item_id = similar_items.similar_item_id
    where bought.customer_id is null
    {%- endif %}
    group by weighted.customer_id, similar_items.similar_item_id

),
{%- else -%}
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
    from telling as mine
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

candidates as (

    select
        neighbours.customer_id,
        weighted.item_id,
        sum(neighbours.similarity * weighted.weight) as score
    from numbered_neighbours as neighbours
    inner join weighted
        on weighted.customer_id = neighbours.neighbour_id
    inner join popular
        on popular.item_id = weighted.item_id
    {%- if options.exclude_bought %}
    left join {{ ref('customer_items') }} as bought
        on bought.customer_id = neighbours.customer_id
        and bought.item_id = weighted.item_id
    {%- endif %}
    where
        neighbours.place <= {{ options.neighbours }}
        {%- if options.exclude_bought %}
        and bought.customer_id is null
        {%- endif %}
    group by neighbours.customer_id, weighted.item_id

),
{%- endif %}

rounded as (

    select customer_id, item_id, {{ seg_sql.round('score', 9) }} as score
    from candidates

),

numbered as (

    select
        customer_id,
        item_id,
        score,
        row_number() over (
            partition by customer_id order by score desc nulls last, {{ seg_sql.bin('item_id') }}
        ) as place
    from {{ seg_sql.top_candidates(
        'rounded', ['customer_id', 'item_id'], 'customer_id', 'score', options.top_n
    ) }} as best

),

personal as (

    select customer_id, item_id, score, place
    from numbered
    where place <= {{ options.top_n }}

),

{% if options.method == 'similar_items' -%}
-- The item that adds most to a score is the reason.
shares as (

    select
        personal.customer_id,
        personal.item_id,
        weighted.item_id as because_item_id,
        row_number() over (
            partition by personal.customer_id, personal.item_id
            order by
                {{ seg_sql.round('weighted.weight * similar_items.similarity', 9) }} desc nulls last,
                {{ seg_sql.bin('weighted.item_id') }}
        ) as share_place
    from personal
    inner join similar_items
        on similar_items.similar_item_id = personal.item_id
    inner join weighted
        on weighted.customer_id = personal.customer_id
        and weighted.item_id = similar_items.item_id

),

reasons as (

    select customer_id, item_id, because_item_id
    from shares
    where share_place = 1

),
{%- endif %}

customers as (

    select customer_id
    from {{ ref('customer_items') }} as customer_items
    group by customer_id
    {%- if input_has('customers', 'customer_id') %}

    union

    select customer_id
    from {{ ref('known_customers') }} as known_customers
    {%- endif %}

),

lengths as (

    select customers.customer_id, count(personal.item_id) as items
    from customers
    left join personal
        on personal.customer_id = customers.customer_id
    group by customers.customer_id

),

-- What a list has already, and what is not to be in it. In one: after the first of two such joins
-- PostgreSQL expects a single row, and compares every row with every other for the second.
taken as (

    select customer_id, item_id
    from personal
    {%- if options.exclude_bought %}

    union all

    select customer_id, item_id
    from {{ ref('customer_items') }} as customer_items
    {%- endif %}

),

-- Far enough down the popular items for all but those who bought a hundred of them.
fill as (

    select
        lengths.customer_id,
        popular.item_id,
        cast(popular.baskets as {{ seg_sql.double() }}) as score,
        lengths.items + row_number() over (
            partition by lengths.customer_id order by popular.place
        ) as place
    from lengths
    inner join popular
        on popular.place <= {{ options.top_n + 100 }}
    left join taken
        on taken.customer_id = lengths.customer_id
        and taken.item_id = popular.item_id
    where
        lengths.items < {{ options.top_n }}
        and taken.customer_id is null

),

listed as (

    select
        personal.customer_id,
        personal.place,
        personal.item_id,
        personal.score,
        {% if options.method == 'similar_items' -%}
        'similar_items' as source,
        reasons.because_item_id
    from personal
    left join reasons
        on reasons.customer_id = personal.customer_id
        and reasons.item_id = personal.item_id
        {%- else -%}
        'neighbours' as source,
        nullif(personal.item_id, personal.item_id) as because_item_id
    from personal
        {%- endif %}

    union all

    select
        customer_id,
        place,
        item_id,
        score,
        'popularity' as source,
        nullif(item_id, item_id) as because_item_id
    from fill
    where place <= {{ options.top_n }}

),

recommended as (

    select
        listed.customer_id,
        cast(listed.place as integer) as rank,
        listed.item_id,
        popular.item_name,
        listed.score,
        listed.source,
        listed.because_item_id
    from listed
    left join popular
        on popular.item_id = listed.item_id

)

select * from recommended
