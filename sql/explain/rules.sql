-- The rules that lead to an item, the strongest first.
select antecedent, baskets, confidence, lift
from {{ ref('association_rules') }} as association_rules
where cast(consequent as {{ seg_sql.text() }}) = {{ seg_sql.item_key(seg_sql.param('item')) }}
order by lift desc nulls last, rule_id
limit {{ limit }}
