-- Every kept order line as the item models see it: its item, and the one reason why it counts as an
-- item that was bought, or does not.
-- Grain: order line. Lines without a customer are here too. Of several reasons the first counts.
-- A line counts unless it is a return (no piece, or negative money) or no product, such as postage:
-- by is_product of the input items, or by the list in the var not_products.
{{ config(materialized='ephemeral') }}

with

lines as (

    select
        customer_id,
        order_id,
        order_date,
        {{ seg_sql.item_key('item_id') }} as item_id,
        {%- for attribute in input_attributes('order_lines') %}
        {{ attribute }},
        {%- endfor %}
        case when quantity <= 0 or amount < 0 then true else false end as is_return
    from {{ ref('order_lines_clean') }} as order_lines_clean

),

judged as (

    select
        lines.customer_id,
        lines.order_id,
        lines.order_date,
        lines.item_id,
        {%- for attribute in input_attributes('order_lines') %}
        lines.{{ attribute }},
        {%- endfor %}
        {%- if input_has('items', 'item_id') %}
        catalogue.name as item_name,
        coalesce(catalogue.recommendable, true) as is_recommendable,
        {%- else %}
        cast(null as {{ seg_sql.text() }}) as item_name,
        true as is_recommendable,
        {%- endif %}
        case
            when lines.item_id is null then 'no item'
            {%- if input_has('items', 'item_id') %}
            when not catalogue.is_product then 'not a product'
            {%- endif %}
            {%- if var('not_products') %}
            when cast(lines.item_id as {{ seg_sql.text() }}) in (
                {%- for item in var('not_products') %}
                {{ seg_sql.item_key(seg_sql.lit(item | string)) }}{{ ',' if not loop.last }}
                {%- endfor %}
            ) then 'not a product'
            {%- endif %}
            when lines.is_return then 'return'
            else 'kept'
        end as reason
    from lines
    {%- if input_has('items', 'item_id') %}
    left join {{ ref('item_catalogue') }} as catalogue
        on catalogue.item_id = lines.item_id
    {%- endif %}

)

select * from judged
