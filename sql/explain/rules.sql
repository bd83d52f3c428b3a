-- The rules that lead to an item more often than chance would, the strongest first.
-- Grain: rule. The consequent of a rule is a name where the input items has one, so that the item is
-- looked for by its id.
select
    rules.antecedent,
    rules.baskets,
    rules.confidence,
    rules.lift
from {{ ref('association_rules_items') }} as rule_items
inner join {{ ref('association_rules') }} as rules
    on rules.group_key = rule_items.group_key
    and rules.rule_id = rule_items.rule_id
where
    rule_items.side = 'consequent'
    and cast(rule_items.item_id as {{ seg_sql.text() }})
        = {{ seg_sql.item_key(seg_sql.param('item')) }}
    and rules.lift > 1
order by rules.lift desc, {{ seg_sql.bin_text('rules.group_key') }}, rules.rule_id
limit {{ limit }}
