-- What to show each customer next: items that go with what he bought (lists_by_similar_items), or
-- that customers like him bought (lists_by_neighbours); popular items fill the lists of those of whom
-- too little is known.
-- Grain: one row per customer_id and rank. Popular items come after all others: their score is the
-- number of their baskets, and compares with nothing else.
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

with

personal as (

    select customer_id, place, item_id, score, because_item_id
    {%- if options.method == 'similar_items' %}
    from {{ ref('lists_by_similar_items') }} as lists
    {%- else %}
    from {{ ref('lists_by_neighbours') }} as lists
    {%- endif %}

),

popular as (

    select item_id, item_name, baskets, place
    from {{ ref('popular_items') }} as popular_items

),

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
        lengths.items + row_number() over (
            partition by lengths.customer_id order by popular.place
        ) as place,
        popular.item_id,
        cast(popular.baskets as {{ seg_sql.double() }}) as score
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
        customer_id,
        place,
        item_id,
        score,
        '{{ 'similar_items' if options.method == 'similar_items' else 'neighbours' }}' as source,
        because_item_id
    from personal

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
