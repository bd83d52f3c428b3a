-- The {{ top_n }} most similar items of each item, the most similar first; of equally similar ones
-- the one with the smaller id.
-- Grain: item and rank. A measure is rounded before it is compared, since its last bits differ
-- between engines.
{%- set total = 'totals.weight' if weighted else 'totals.baskets' %}
{%- set mine = 'mine.weight' if weighted else 'mine.baskets' %}
{%- set theirs = 'theirs.weight' if weighted else 'theirs.baskets' %}
{%- set both = 'sides.weight' if weighted else 'sides.baskets' %}
with

-- Each pair from both sides.
sides as (

    select
        cast(pair >> {{ bits }} as bigint) as item_no,
        cast(pair & {{ 2 ** bits - 1 }} as bigint) as similar_item_no,
        {%- if weighted %}
        weight,
        {%- endif %}
        baskets
    from {{ pairs }} as pairs

    union all

    select
        cast(pair & {{ 2 ** bits - 1 }} as bigint) as item_no,
        cast(pair >> {{ bits }} as bigint) as similar_item_no,
        {%- if weighted %}
        weight,
        {%- endif %}
        baskets
    from {{ pairs }} as pairs

),

scored as (

    select
        sides.item_no,
        sides.similar_item_no,
        sides.baskets,
        {{ seg_sql.pair_measure(measure, both, mine, theirs, total) }} as similarity
    from sides
    inner join {{ items }} as items
        on items.item_no = sides.similar_item_no
        and items.is_recommendable
    inner join {{ totals }} as totals
        on totals.group_key = items.group_key
    inner join {{ counts }} as mine
        on mine.item_no = sides.item_no
    inner join {{ counts }} as theirs
        on theirs.item_no = sides.similar_item_no
    {{ seg_sql.fence() }}

),

rounded as (

    select
        item_no,
        similar_item_no,
        baskets,
        similarity,
        {{ seg_sql.round('similarity', digits) }} as rounded_similarity
    from scored

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
    from {{ seg_sql.top_candidates(
        'rounded', ['item_no', 'similar_item_no', 'baskets', 'similarity'],
        'item_no', 'rounded_similarity', top_n
    ) }} as candidates

)

select item_no, similar_item_no, baskets, similarity, cast(place as integer) as place
from ranked
where place <= {{ top_n }}
