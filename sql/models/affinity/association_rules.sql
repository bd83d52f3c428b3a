-- Which items are bought together often enough to say: who buys these also buys that.
-- Grain: one row per rule; a rule has one item as its consequent. A basket is an order; an item that
-- is in it twice counts once. Lines without a customer count; returns do not.
-- Beside it lie association_rules_items with the items of each rule, one row each, and
-- association_rules_exclusions: what was left out, and why.
{{ config(
    materialized='association_rules',
    min_support=0.01,
    min_confidence=0.2,
    max_items=4,
) }}

with

lines as (

    select
        order_id,
        item_id,
        {%- for attribute in input_attributes('order_lines') %}
        {{ attribute }},
        {%- endfor %}
        case
            when item_id is null then 'no item'
            when quantity <= 0 or amount < 0 then 'return'
            else 'kept'
        end as reason
    from {{ ref('order_lines_clean') }} as order_lines_clean

)

{%- if input_has('items', 'name') %},

names as (

    select
        item_id,
        min({{ seg_sql.bin_text('name') }}) as item_name
    from {{ input('items') }} as items
    group by item_id

)
{%- endif %}

select
    lines.order_id,
    lines.item_id,
    {%- for attribute in input_attributes('order_lines') %}
    lines.{{ attribute }},
    {%- endfor %}
    {%- if input_has('items', 'name') %}
    names.item_name,
    {%- endif %}
    lines.reason
from lines
{%- if input_has('items', 'name') %}
left join names
    on names.item_id = lines.item_id
{%- endif %}
