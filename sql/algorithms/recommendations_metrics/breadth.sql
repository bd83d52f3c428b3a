-- What the lists hold: the share of the catalogue that is in any of them, how unusual their items
-- are (mean of -log2 of the share of customers who bought it), and how different they are from each
-- other (1 - mean cosine of the pairs of a list; items that are in no list of similar ones: 0).
-- Grain: list and k.
{%- set double = seg_sql.double() %}
with

lengths as (

    {% for k in lengths -%}
    select {{ k }} as k{{ ' union all' if not loop.last }}
    {% endfor %}
),

catalogue as (

    select count(*) as items
    from {{ popular }} as popular

),

customers as (

    select count(distinct customer_id) as customers
    from {{ earlier }} as earlier

),

novelty as (

    select
        popular.item_id,
        -{{ seg_sql.safe_ln(seg_sql.safe_div(
            'greatest(popular.customers, 1)', 'customers.customers'
        )) }} / {{ seg_sql.lit(0.6931471805599453) }} as bits
    from {{ popular }} as popular
    cross join customers

),

listed as (

    select
        lists.is_model,
        lengths.k,
        count(distinct lists.item_id) as items,
        avg(novelty.bits) as novelty
    from {{ lists }} as lists
    inner join lengths
        on lengths.k >= lists.rank
    left join novelty
        on novelty.item_id = lists.item_id
    group by lists.is_model, lengths.k

),

cosines as (

    select item_id, similar_item_id, max(cosine) as cosine
    from (
        select item_id, similar_item_id, cosine
        from {{ similar }} as similar_items

        union all

        select similar_item_id as item_id, item_id as similar_item_id, cosine
        from {{ similar }} as similar_items
    ) as both_ways
    group by item_id, similar_item_id

),

list_pairs as (

    select
        first_items.is_model,
        second_items.rank,
        count(*) as pairs,
        sum(coalesce(cosines.cosine, 0)) as cosine
    from {{ lists }} as first_items
    inner join {{ lists }} as second_items
        on second_items.is_model = first_items.is_model
        and second_items.customer_id = first_items.customer_id
        and second_items.rank > first_items.rank
    left join cosines
        on cosines.item_id = first_items.item_id
        and cosines.similar_item_id = second_items.item_id
    group by first_items.is_model, second_items.rank

),

diversity as (

    select
        list_pairs.is_model,
        lengths.k,
        1 - {{ seg_sql.safe_div('sum(list_pairs.cosine)', 'sum(list_pairs.pairs)') }} as diversity
    from list_pairs
    inner join lengths
        on lengths.k >= list_pairs.rank
    group by list_pairs.is_model, lengths.k

)

select
    listed.is_model,
    listed.k,
    {{ seg_sql.safe_div('listed.items', 'catalogue.items') }} as catalogue_coverage,
    listed.novelty,
    diversity.diversity
from listed
cross join catalogue
left join diversity
    on diversity.is_model = listed.is_model
    and diversity.k = listed.k
order by listed.is_model, listed.k
