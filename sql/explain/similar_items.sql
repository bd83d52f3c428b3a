-- The items that go with an item.
select
    group_key,
    item_name,
    rank,
    similar_item_id,
    similar_item_name,
    similarity,
    measure,
    pair_baskets,
    item_baskets,
    similar_item_baskets,
    confidence,
    lift
from {{ ref('item_similarity') }} as item_similarity
where cast(item_id as {{ seg_sql.text() }}) = {{ seg_sql.item_key(seg_sql.param('item')) }}
order by {{ seg_sql.bin_text('group_key') }}, rank
