-- What was read, what was kept and what was dropped, and why.
-- Grain: one row per input and reason. Each line has one reason, so that the amounts of all
-- reasons add up to the amount that was read. A broken row of a CSV has no amount that is known.
{{ config(materialized='table', unique_key=['input', 'reason']) }}

with

lines as (

    select
        customer_id,
        order_id,
        ordered_at,
        item_id,
        quantity,
        unit_price,
        amount,
        {% for attribute in input_attributes('order_lines') -%}
        {{ attribute }},
        {% endfor -%}
        line_id,
        reason,
        action
    from {{ ref('order_lines_checked') }} as order_lines_checked

),

{% if input_has('order_lines', 'customer_id') and input_has('order_lines', 'ordered_at') -%}
shared_orders as (

    select order_id
    from {{ ref('orders') }} as orders
    group by order_id
    having count(*) > 1

),

customers_without_purchase as (

    select customer_id
    from {{ ref('orders') }} as orders
    group by customer_id
    having max(case when is_purchase then 1 else 0 end) = 0

),

noted as (

    select
        lines.customer_id,
        lines.order_id,
        lines.ordered_at,
        lines.item_id,
        lines.quantity,
        lines.unit_price,
        lines.amount,
        {% for attribute in input_attributes('order_lines') -%}
        lines.{{ attribute }},
        {% endfor -%}
        lines.line_id,
        case
            when lines.reason = 'kept' and shared_orders.order_id is not null
                then 'order of several customers'
            when lines.reason = 'kept' and customers_without_purchase.customer_id is not null
                then 'customer without a purchase'
            else lines.reason
        end as reason,
        lines.action
    from lines
    left join shared_orders on shared_orders.order_id = lines.order_id
    left join customers_without_purchase
        on customers_without_purchase.customer_id = lines.customer_id

),
{%- else -%}
noted as (

    select
        customer_id,
        order_id,
        ordered_at,
        item_id,
        quantity,
        unit_price,
        amount,
        {% for attribute in input_attributes('order_lines') -%}
        {{ attribute }},
        {% endfor -%}
        line_id,
        reason,
        action
    from lines

),
{%- endif %}

{% if var('duplicates') == 'count' -%}
-- Equal lines may be two pieces bought one by one, or a file loaded twice: kept, and counted.
-- Lines that the input tells apart by a line_id are two.
distinct_lines as (

    select
        order_id,
        amount,
        reason,
        action,
        count(*) as copies
    from noted
    group by
        customer_id,
        order_id,
        ordered_at,
        item_id,
        quantity,
        unit_price,
        amount,
        {% for attribute in input_attributes('order_lines') -%}
        {{ attribute }},
        {% endfor -%}
        line_id,
        reason,
        action

),

counted as (

    select
        reason,
        action,
        order_id,
        case when reason = 'kept' then 1 else copies end as line_count,
        case when reason = 'kept' then amount else copies * amount end as amount
    from distinct_lines

    union all

    select
        'possible duplicate' as reason,
        action,
        order_id,
        copies - 1 as line_count,
        (copies - 1) * amount as amount
    from distinct_lines
    where reason = 'kept' and copies > 1

),
{%- else -%}
counted as (

    select reason, action, order_id, 1 as line_count, amount
    from noted

),
{%- endif %}

by_reason as (

    select
        reason,
        action,
        {{ seg_sql.isum('line_count') }} as line_count,
        count(distinct order_id) as orders,
        {{ seg_sql.round('sum(amount)') }} as amount
    from counted
    group by reason, action

),

read_in_all as (

    select sum(amount) as amount
    from by_reason

),

shares as (

    select
        'order_lines' as input,
        by_reason.reason,
        by_reason.action,
        by_reason.line_count as rows,
        by_reason.orders,
        by_reason.amount,
        {{ seg_sql.safe_div('by_reason.amount', 'read_in_all.amount') }} as amount_share
    from by_reason
    cross join read_in_all

),

{% if input_has('customers') -%}
customers as (

    select
        case
            when customer_id is null then 'no customer'
            when copy_number > 1 then 'repeated customer'
            {% if input_has('customers', 'first_order_date') -%}
            when first_order_date is null then 'no date'
            when not {{ seg_sql.is_day('cast(first_order_date as timestamp)') }} then 'no date'
            {% endif -%}
            else 'kept'
        end as reason,
        case
            when customer_id is not null and copy_number = 1 then 'kept' else 'dropped'
        end as action
    from (
        select
            customer_id,
            first_order_date,
            row_number() over (
                partition by customer_id order by first_order_date nulls last
            ) as copy_number
        from {{ input('customers') }} as customers
    ) as numbered

),
{%- endif %}

reasons as (

    select input, reason, action, rows, orders, amount, amount_share
    from shares
    {%- if input_has('customers') %}

    union all

    select
        'customers' as input,
        reason,
        action,
        count(*) as rows,
        cast(null as bigint) as orders,
        cast(null as {{ seg_sql.double() }}) as amount,
        cast(null as {{ seg_sql.double() }}) as amount_share
    from customers
    group by reason, action
    {%- endif %}
    {%- for name in ['order_lines', 'customers', 'customer_map', 'items']
        if broken_rows(name) > 0 %}

    union all

    select
        '{{ name }}' as input,
        'broken row' as reason,
        'dropped' as action,
        cast({{ broken_rows(name) }} as bigint) as rows,
        cast(null as bigint) as orders,
        cast(null as {{ seg_sql.double() }}) as amount,
        cast(null as {{ seg_sql.double() }}) as amount_share
    {%- endfor %}

)

select * from reasons
