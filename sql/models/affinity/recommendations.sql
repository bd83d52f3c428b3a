-- What to show each customer next: items that go with what he bought, or that customers like him
-- bought; popular items fill the lists of those of whom too little is known.
-- Grain: one row per customer_id and rank. A score is rounded before it is compared; equal ones are
-- in the order of the items' ids. Popular items come after all others: their score is the number of
-- their baskets, and compares with nothing else.
-- A large shop's lists are made in slices of its customers, so that the disk is never full of rows on
-- the way: listed_items are then what the customers of one slice bought.
{{ config(
    materialized='table',
    unique_key=['customer_id', 'rank'],
    meta={
        'needs': {'order_lines': ['customer_id', 'item_id']},
        'order_by': ['customer_id', 'rank'],
        'slices': {
            'by': 'customer_id',
            'of': ['listed_items', 'known_customers'],
            'rows': 'recommendation_rows'
        }
    }
) }}

{%- set options = var('recommendations') %}
{%- set aged = options.half_life_days is not none and input_has('order_lines', 'ordered_at') %}

with

-- What was bought lately counts more: half as much after each half-life. For the first method it is
-- what the customer bought himself, for the second what customers like him bought.
weighted as (

    select
        customer_id,
        item_id,
        {% if aged -%}
        {{ seg_sql.age_weight('last_date', seg_sql.as_of(), options.half_life_days) }} as weight
        {%- else -%}
        {{ seg_sql.lit(1.0) }} as weight
        {%- endif %}
    {%- if options.method == 'similar_items' %}
    from {{ ref('listed_items') }} as listed_items
    {%- else %}
    from {{ ref('customer_items') }} as customer_items
    {%- endif %}

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
    left join {{ ref('listed_items') }} as bought
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
    left join {{ ref('listed_items') }} as bought
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
own_items as {{ seg_sql.materialized() }} (

    select personal.customer_id, personal.item_id, weighted.item_id as own_item_id, weighted.weight
    from personal
    inner join weighted
        on weighted.customer_id = personal.customer_id

),

-- The item that adds most to a score is the reason.
shares as (

    select
        own_items.customer_id,
        own_items.item_id,
        own_items.own_item_id as because_item_id,
        row_number() over (
            partition by own_items.customer_id, own_items.item_id
            order by
                {{ seg_sql.round('own_items.weight * similar_items.similarity', 9) }} desc nulls last,
                {{ seg_sql.bin('own_items.own_item_id') }}
        ) as share_place
    from own_items
    inner join similar_items
        on similar_items.item_id = own_items.own_item_id
        and similar_items.similar_item_id = own_items.item_id

),

reasons as (

    select customer_id, item_id, because_item_id
    from shares
    where share_place = 1

),
{%- endif %}

customers as (

    select customer_id
    from {{ ref('listed_items') }} as listed_items
    group by customer_id
    {%- if input_has('customers', 'customer_id') %}

    union

    select customer_id
    from {{ ref('known_customers') }} as known_customers
    {%- endif %}

),

-- What a list has already, and what is not to be in it. In one: after the first of two such joins
-- PostgreSQL expects a single row, and compares every row with every other for the second.
taken as (

    select customer_id, item_id, 1 as is_listed
    from personal
    {%- if options.exclude_bought %}

    union all

    select customer_id, item_id, 0 as is_listed
    from {{ ref('listed_items') }} as listed_items
    {%- endif %}

),

lengths as (

    select
        customers.customer_id,
        coalesce(sum(taken.is_listed), 0) as items,
        count(taken.item_id) as taken_items
    from customers
    left join taken
        on taken.customer_id = customers.customer_id
    group by customers.customer_id

),

-- As far down the popular items as it takes if all that is taken is popular, but no further than for
-- those who bought a hundred of them.
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
        on popular.place <= {{ options.top_n }} - lengths.items + lengths.taken_items
        and popular.place <= {{ options.top_n + 100 }}
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
