-- Which items go with which: those that are in the same baskets more often than others.
-- Grain: one row per item and rank. A basket is an order, or with `unit: customer` all that a
-- customer bought; lines without a customer count in their order.
-- Beside it lies item_similarity_exclusions: what was left out, and why.
{{ config(
    materialized='item_similarity',
    unit='order',
    measure='cosine',
    top_n=20,
) }}

select
    order_id,
    customer_id,
    order_date,
    item_id,
    item_name,
    is_recommendable,
    {%- for attribute in input_attributes('order_lines') %}
    {{ attribute }},
    {%- endfor %}
    reason
from {{ ref('item_lines') }} as item_lines
