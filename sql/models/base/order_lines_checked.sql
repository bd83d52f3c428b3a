-- Every raw order line, typed, with the one reason why it is kept or dropped.
-- Grain: raw line. Of several reasons the first in the list below counts.
-- Inlined into order_lines_clean and input_quality, so that both follow the same rules.
{{ config(materialized='ephemeral') }}

{%- set customer = 'coalesce(customer_merges.surviving_id, raw.customer_id)'
    if input_has('customer_map') else 'raw.customer_id' %}

with

raw_lines as (

    select
        {{ customer }} as customer_id,
        {% if input_has('order_lines', 'order_id') -%}
        raw.order_id,
        {%- else -%}
        -- All the guests of a day are not one order.
        case
            when raw.is_anonymous = 0
                then {{ seg_sql.day_order_id(customer, 'raw.ordered_at') }}
        end as order_id,
        {%- endif %}
        raw.ordered_at,
        cast(raw.ordered_at as date) as order_date,
        raw.item_id,
        raw.quantity,
        raw.unit_price,
        raw.line_id,
        {% for attribute in input_attributes('order_lines') -%}
        raw.{{ attribute }},
        {% endfor -%}
        {% if input_has('order_lines', 'ordered_at') -%}
        raw.has_ordered_at,
        {% endif -%}
        {% if input_has('order_lines', 'amount') and input_has('order_lines', 'quantity') -%}
        raw.has_quantity,
        {% endif -%}
        {% if input_has('order_lines', 'amount') -%}
        raw.amount as given_amount,
        raw.has_amount,
        {%- else -%}
        {{ seg_sql.safe_product('raw.quantity', 'raw.unit_price') }} as given_amount,
        {%- if input_has('order_lines', 'quantity') and input_has('order_lines', 'unit_price') %}
        case when raw.has_quantity = 1 and raw.has_unit_price = 1 then 1 else 0 end as has_amount,
        {%- else %}
        0 as has_amount,
        {%- endif %}
        {%- endif %}
        raw.is_anonymous
    from {{ input('order_lines') }} as raw
    {%- if input_has('customer_map') %}
    left join {{ ref('customer_merges') }} as customer_merges
        on customer_merges.customer_id = raw.customer_id
    {%- endif %}

),

judged as (

    select
        case when is_anonymous = 0 then customer_id end as customer_id,
        order_id,
        ordered_at,
        order_date,
        item_id,
        {% if input_has('order_lines', 'amount') -%}
        case when {{ seg_sql.is_usable('quantity') }} then quantity end as quantity,
        {%- else -%}
        quantity,
        {%- endif %}
        unit_price,
        case when {{ seg_sql.is_usable('given_amount') }} then given_amount end as amount,
        line_id,
        {% for attribute in input_attributes('order_lines') -%}
        {{ attribute }},
        {% endfor -%}
        case
            {% if input_has('order_lines', 'ordered_at') -%}
            when has_ordered_at = 1 and ordered_at is null then 'unreadable date'
            when ordered_at is null then 'no date'
            when not {{ seg_sql.is_day('ordered_at') }} then 'unreadable date'
            when order_date >= {{ seg_sql.as_of() }} then '{{ var("as_of_reason") }}'
            {% endif -%}
            {% if input_has('order_lines', 'amount') or input_has('order_lines', 'unit_price') -%}
            when has_amount = 1 and given_amount is null then 'unreadable number'
            when given_amount is null then 'no amount'
            when not {{ seg_sql.is_usable('given_amount') }} then 'number out of range'
            {% endif -%}
            {% if input_has('order_lines', 'order_id') -%}
            when order_id is null then 'no order id'
            {% endif -%}
            {% if var('refunds') == 'drop' -%}
            when given_amount < 0 or quantity < 0 then 'refund'
            {% endif -%}
            when is_anonymous = 1 then 'anonymous id'
            when customer_id is null then 'no customer'
            {% if input_has('order_lines', 'amount') and input_has('order_lines', 'quantity') -%}
            when has_quantity = 1 and not coalesce({{ seg_sql.is_usable('quantity') }}, false)
                then 'unreadable quantity'
            {% endif -%}
            {% if not input_has('order_lines', 'amount') and input_has('order_lines', 'quantity')
                and input_has('order_lines', 'unit_price') -%}
            -- Their product is above zero, and the refund that they may mean a sale.
            when quantity < 0 and unit_price < 0 then 'negative quantity and price'
            {% endif -%}
            else 'kept'
        end as reason
    from raw_lines

),

{#- Of the last two only one can be: DuckDB looks up a list of five by a join, in twice the time. #}
{%- set last = 'unreadable quantity' if input_has('order_lines', 'amount')
    else 'negative quantity and price' %}
{%- set kept = "('kept', 'no customer', 'anonymous id', '" ~ last ~ "')" %}
{%- if input_has('order_lines', 'line_id') or var('duplicates') == 'drop' %}

-- Of the lines with the same line_id, or of equal lines without one, the first counts.
numbered as (

    select
        customer_id,
        order_id,
        ordered_at,
        order_date,
        item_id,
        quantity,
        unit_price,
        amount,
        line_id,
        {% for attribute in input_attributes('order_lines') -%}
        {{ attribute }},
        {% endfor -%}
        reason,
        row_number() over (
            partition by
                case when reason in {{ kept }} then 1 else 0 end,
                {% if input_has('order_lines', 'line_id') -%}
                line_id
                {%- else -%}
                customer_id, order_id, ordered_at, item_id, quantity, unit_price, amount
                {%- for attribute in input_attributes('order_lines') %}, {{ attribute }}{% endfor %}
                {%- endif %}
            order by
                ordered_at nulls last,
                amount nulls last,
                quantity nulls last,
                unit_price nulls last,
                {{ seg_sql.bin('order_id') }} nulls last,
                {{ seg_sql.bin('item_id') }} nulls last,
                {{ seg_sql.bin('customer_id') }} nulls last
                {%- for attribute in input_attributes('order_lines') %},
                {{ seg_sql.bin(attribute) }} nulls last
                {%- endfor %}
        ) as copy_number
    from judged

),
{%- endif %}

checked as (

    select
        customer_id,
        order_id,
        ordered_at,
        order_date,
        item_id,
        quantity,
        unit_price,
        amount,
        line_id,
        {% for attribute in input_attributes('order_lines') -%}
        {{ attribute }},
        {% endfor -%}
        {% if input_has('order_lines', 'line_id') -%}
        case
            when reason in {{ kept }} and line_id is not null and copy_number > 1
            then 'duplicate line_id' else reason
        end as reason
    from numbered
        {%- elif var('duplicates') == 'drop' -%}
        case
            when reason in {{ kept }} and copy_number > 1 then 'duplicate' else reason
        end as reason
    from numbered
        {%- else -%}
        reason
    from judged
        {%- endif %}

),

decided as (

    select
        customer_id,
        order_id,
        ordered_at,
        order_date,
        item_id,
        quantity,
        unit_price,
        amount,
        line_id,
        {% for attribute in input_attributes('order_lines') -%}
        {{ attribute }},
        {% endfor -%}
        reason,
        case when reason in {{ kept }} then 'kept' else 'dropped' end as action
    from checked

)

select * from decided
