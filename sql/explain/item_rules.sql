-- The rules that an item is part of, those with the highest lift first.
-- Grain: group_key, rule_id. The side says whether the item is given or follows.
select
    rules.group_key,
    rules.antecedent,
    rules.consequent,
    rules.confidence,
    rules.lift,
    rules.baskets,
    rule_items.side,
    count(*) over () as rule_count
from {{ ref('association_rules_items') }} as rule_items
inner join {{ ref('association_rules') }} as rules
    on rules.group_key = rule_items.group_key
    and rules.rule_id = rule_items.rule_id
where cast(rule_items.item_id as {{ seg_sql.text() }}) = {{ seg_sql.param('item') }}
order by rules.lift desc, {{ seg_sql.bin_text('rules.group_key') }}, rules.rule_id
limit {{ limit }}
