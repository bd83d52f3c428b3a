-- How good the recommendations are: item_similarity and recommendations fitted to the earlier order
-- lines, and measured by what the customers bought afterwards, beside the most popular items.
-- Grain: one row per metric and k, the length of the list.
-- {{ ref('item_similarity') }} and {{ ref('recommendations') }} are what is refitted.
{{ config(
    materialized='recommendations_metrics',
    holdout='days',
    days=30,
    k=[5, 10],
) }}

select
    customer_id,
    order_id,
    ordered_at,
    order_date,
    item_id,
    {%- for attribute in input_attributes('order_lines') %}
    {{ attribute }},
    {%- endfor %}
    quantity,
    unit_price,
    amount
from {{ ref('order_lines_clean') }} as order_lines_clean
