-- The order lines that every other model reads: typed, dated before as_of, with an amount.
-- Grain: order line. A line without a customer is kept for the item models; its customer_id is
-- NULL and the customer models skip it.
-- "Not dropped" rather than "kept": planners take what equals a value for few rows, and most are kept.
-- A view where the input is a relation of the database, a table where it is a file.
{{ config(materialized='table' if input_is_file('order_lines') else 'view') }}

with

kept as (

    select
        customer_id,
        order_id,
        ordered_at,
        order_date,
        item_id,
        quantity,
        unit_price,
        amount
        {%- for attribute in input_attributes('order_lines') %},
        {{ attribute }}
        {%- endfor %}
    from {{ ref('order_lines_checked') }} as order_lines_checked
    where action <> 'dropped'

)

select * from kept
