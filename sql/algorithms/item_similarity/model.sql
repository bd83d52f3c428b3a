-- The published table: ids, names, counts and every measure of the similar items of each item.
-- Grain: group, item and rank. The measures come from the counts, the similarity from the counts
-- as they are weighted by age.
{%- set measures = ['support', 'confidence', 'lift', 'cosine', 'jaccard', 'npmi', 'root_llr'] %}
select
    items.group_key,
    items.item_id,
    items.item_name,
    neighbours.place as rank,
    similar_items.item_id as similar_item_id,
    similar_items.item_name as similar_item_name,
    neighbours.similarity,
    {{ seg_sql.lit(measure) }} as measure,
    neighbours.baskets as pair_baskets,
    mine.baskets as item_baskets,
    theirs.baskets as similar_item_baskets,
    {%- for name in measures %}
    {{ seg_sql.pair_measure(
        name, 'neighbours.baskets', 'mine.baskets', 'theirs.baskets', 'totals.baskets'
    ) }} as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from {{ neighbours }} as neighbours
inner join {{ items }} as items
    on items.item_no = neighbours.item_no
inner join {{ items }} as similar_items
    on similar_items.item_no = neighbours.similar_item_no
inner join {{ counts }} as mine
    on mine.item_no = neighbours.item_no
inner join {{ counts }} as theirs
    on theirs.item_no = neighbours.similar_item_no
inner join {{ totals }} as totals
    on totals.group_key = items.group_key
