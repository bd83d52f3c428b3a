-- The {{ top_n }} most similar items of each item, the most similar first; of equally similar ones
-- the one with the smaller id.
-- Grain: item and rank. A measure is rounded before it is compared, since its last bits differ
-- between engines: not of every pair, but of those that come near enough to an item's best.
{%- set both = 'pairs.weight' if weighted else 'pairs.baskets' %}
{%- set first = 'first_items.weight' if weighted else 'first_items.baskets' %}
{%- set second = 'second_items.weight' if weighted else 'second_items.baskets' %}
{%- set one_way = measure == 'confidence' %}
with

counted as (

    select
        counts.item_no,
        items.is_recommendable,
        {{ 'counts.weight' if weighted else 'counts.baskets' }},
        {{ 'totals.weight' if weighted else 'totals.baskets' }} as total
    from {{ counts }} as counts
    inner join {{ items }} as items
        on items.item_no = counts.item_no
    inner join {{ totals }} as totals
        on totals.group_key = items.group_key

),

-- A measure is the same from both sides, except for the confidence.
scored as (

    select
        first_items.item_no as first_no,
        second_items.item_no as second_no,
        first_items.is_recommendable as is_first_recommendable,
        second_items.is_recommendable as is_second_recommendable,
        pairs.baskets,
        {%- if one_way %}
        {{ seg_sql.pair_measure(measure, both, second, first, 'first_items.total') }}
            as similarity_of_first,
        {%- endif %}
        {{ seg_sql.pair_measure(measure, both, first, second, 'first_items.total') }} as similarity
    from {{ pairs }} as pairs
    inner join counted as first_items
        on first_items.item_no = pairs.pair >> {{ bits }}
    inner join counted as second_items
        on second_items.item_no = pairs.pair & {{ 2 ** bits - 1 }}

),

-- Each pair from both sides.
sides as (

    select first_no as item_no, second_no as similar_item_no, baskets, similarity
    from scored
    where is_second_recommendable

    union all

    select
        second_no as item_no,
        first_no as similar_item_no,
        baskets,
        {{ 'similarity_of_first' if one_way else 'similarity' }} as similarity
    from scored
    where is_first_recommendable

),

rounded as (

    select
        item_no,
        similar_item_no,
        baskets,
        similarity,
        {{ seg_sql.round('similarity', digits) }} as rounded_similarity
    from {{ seg_sql.top_candidates(
        'sides', ['item_no', 'similar_item_no', 'baskets'], 'item_no', 'similarity', top_n,
        within=10.0 ** (1 - digits)
    ) }} as candidates

),

ranked as (

    select
        item_no,
        similar_item_no,
        baskets,
        similarity,
        row_number() over (
            partition by item_no order by rounded_similarity desc, similar_item_no
        ) as place
    from rounded

)

select item_no, similar_item_no, baskets, similarity, cast(place as integer) as place
from ranked
where place <= {{ top_n }}
