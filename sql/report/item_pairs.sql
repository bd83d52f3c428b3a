-- The pairs of items that go together most surely, each pair once: by the root of the
-- log-likelihood ratio, in which a pair of few baskets weighs little (Dunning 1993).
-- Grain: one row per pair that at least min_group baskets hold; the strongest `pairs` of them.
with

pairs as (

    select
        cast(item_id as {{ seg_sql.text() }}) as item,
        coalesce(item_name, cast(item_id as {{ seg_sql.text() }})) as item_name,
        cast(similar_item_id as {{ seg_sql.text() }}) as other_item,
        coalesce(similar_item_name, cast(similar_item_id as {{ seg_sql.text() }}))
            as other_item_name,
        measure,
        similarity,
        pair_baskets,
        lift,
        root_llr
    from {{ ref('item_similarity') }} as item_similarity
    where group_key = {{ seg_sql.param('group_key') }} and pair_baskets >= {{ min_group }}

),

-- Either item of a pair may name the other among its most similar ones.
once as (

    select
        item,
        item_name,
        other_item,
        other_item_name,
        measure,
        similarity,
        pair_baskets,
        lift,
        root_llr,
        row_number() over (
            partition by
                least({{ seg_sql.bin_text('item') }}, {{ seg_sql.bin_text('other_item') }}),
                greatest({{ seg_sql.bin_text('item') }}, {{ seg_sql.bin_text('other_item') }})
            order by {{ seg_sql.bin_text('item') }}
        ) as copy_number
    from pairs

)

select
    item,
    item_name,
    other_item,
    other_item_name,
    measure,
    similarity,
    pair_baskets,
    lift,
    root_llr
from once
where copy_number = 1
order by
    root_llr desc nulls last,
    {{ seg_sql.bin_text('item') }},
    {{ seg_sql.bin_text('other_item') }}
limit {{ pairs }}
