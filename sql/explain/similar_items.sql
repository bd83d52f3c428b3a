-- The items that go with an item: those that it shares more baskets with than by chance.
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
where
    cast(item_id as {{ seg_sql.text() }}) = {{ seg_sql.item_key(seg_sql.param('item')) }}
    and lift > 1
order by {{ seg_sql.bin_text('group_key') }}, rank
