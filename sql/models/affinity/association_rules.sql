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

select
    order_id,
    item_id,
    item_name,
    {%- for attribute in input_attributes('order_lines') %}
    {{ attribute }},
    {%- endfor %}
    reason
from {{ ref('item_lines') }} as item_lines
