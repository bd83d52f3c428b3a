-- The items of each rule, on the side of the rule where they are.
-- Grain: group_key, rule_id, item_id.
select
    rules.group_key,
    rules.rule_id,
    case
        when items.set_number = rules.consequent then 'consequent' else 'antecedent'
    end as side,
    items.item_id
from {{ rules }} as rules
cross join (
    values {% for place in range(1, size + 1) %}({{ place }}){{ ', ' if not loop.last }}{% endfor %}
) as places (place)
inner join {{ items }} as items
    on items.set_number = case places.place
        {%- for place in range(1, size + 1) %}
        when {{ place }} then rules.item_{{ place }}
        {%- endfor %}
    end
