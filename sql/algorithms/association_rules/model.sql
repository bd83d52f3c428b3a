-- The rules with their items as readable texts, in the order of the texts.
-- Grain: group_key, rule_id.
with

texts as (

    select
        rules.group_key,
        rules.rule_id,
        {{ seg_sql.string_agg(
            'case when items.set_number <> rules.consequent then items.item_text end',
            "', '",
            seg_sql.bin_text('items.item_text') ~ ', items.set_number'
        ) }} as antecedent,
        max(
            case when items.set_number = rules.consequent then items.item_text end
        ) as consequent
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
    group by rules.group_key, rules.rule_id

)

select
    rules.group_key,
    rules.rule_id,
    texts.antecedent,
    texts.consequent,
    rules.items,
    rules.baskets,
    rules.support,
    rules.confidence,
    rules.lift,
    rules.leverage,
    rules.conviction,
    rules.zhang
from {{ rules }} as rules
inner join texts
    on texts.group_key = rules.group_key
    and texts.rule_id = rules.rule_id
order by rules.group_key, rules.rule_id
