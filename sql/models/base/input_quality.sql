-- What was read, what was kept and what was dropped, and why.
-- Grain: one row per input and reason. Each line has one reason, so that the amounts of all
-- reasons add up to the amount that was read. A broken row of a CSV has no amount that is known.
{{ config(materialized='table', unique_key=['input', 'reason']) }}

{%- set attributes = input_attributes('order_lines') %}
{%- set has_orders =
    input_has('order_lines', 'customer_id') and input_has('order_lines', 'ordered_at') %}

with

{% if has_orders -%}
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

{% endif -%}
lines as (

    select
        checked.customer_id,
        checked.order_id,
        checked.ordered_at,
        checked.item_id,
        checked.quantity,
        checked.unit_price,
        checked.amount,
        {% for attribute in attributes -%}
        checked.{{ attribute }},
        {% endfor -%}
        checked.line_id,
        {% if has_orders -%}
        case
            when checked.reason = 'kept' and shared_orders.order_id is not null
                then 'order of several customers'
            when checked.reason = 'kept' and customers_without_purchase.customer_id is not null
                then 'customer without a purchase'
            else checked.reason
        end as reason,
        {%- else -%}
        checked.reason,
        {%- endif %}
        checked.action
    from {{ ref('order_lines_checked') }} as checked
    {%- if has_orders %}
    left join shared_orders on shared_orders.order_id = checked.order_id
    left join customers_without_purchase
        on customers_without_purchase.customer_id = checked.customer_id
    {%- endif %}

),

-- Equal lines may be two pieces bought one by one, or a file loaded twice: kept, and counted.
-- Lines that the input tells apart by a line_id are two.
distinct_lines as (

    {% if var('duplicates') == 'count' -%}
    select order_id, amount, reason, action, count(*) as copies
    from lines
    group by
        customer_id,
        order_id,
        amount,
        reason,
        action,
        {{ seg_sql.rest_of_key(
            ['ordered_at', 'item_id', 'quantity', 'unit_price', 'line_id'] + attributes
        ) }}
    {%- else -%}
    select order_id, amount, reason, action, 1 as copies
    from lines
    {%- endif %}

),

by_reason as (

    select
        reason,
        action,
        count(*) as line_count,
        count(distinct order_id) as orders,
        sum(amount) as amount,
        {{ seg_sql.isum('copies - 1') }} as further_lines,
        count(distinct case when copies > 1 then order_id end) as further_orders,
        sum((copies - 1) * amount) as further_amount
    from distinct_lines
    group by reason, action

),

counted as (

    select reason, action, line_count, orders, amount
    from by_reason
    where reason = 'kept'

    union all

    select
        'possible duplicate' as reason,
        action,
        further_lines as line_count,
        further_orders as orders,
        further_amount as amount
    from by_reason
    where reason = 'kept' and further_lines > 0

    union all

    -- What has another reason has said enough.
    select
        reason,
        action,
        line_count + further_lines as line_count,
        orders,
        amount + further_amount as amount
    from by_reason
    where reason <> 'kept'

),

sizes as (

    select
        'order_lines' as input,
        reason,
        action,
        line_count,
        orders,
        {{ seg_sql.round('amount') }} as amount
    from counted
    {%- if input_has('customers') %}

    union all

    select
        'customers' as input,
        reason,
        action,
        count(*) as line_count,
        cast(null as bigint) as orders,
        cast(null as {{ seg_sql.double() }}) as amount
    from {{ ref('customers_checked') }} as customers_checked
    group by reason, action
    {%- endif %}
    {%- for name in ['order_lines', 'customers', 'customer_map', 'items']
        if broken_rows(name) > 0 %}

    union all

    select
        '{{ name }}' as input,
        'broken row' as reason,
        'dropped' as action,
        cast({{ broken_rows(name) }} as bigint) as line_count,
        cast(null as bigint) as orders,
        cast(null as {{ seg_sql.double() }}) as amount
    {%- endfor %}

),

read_in_all as (

    select sum(amount) as amount
    from sizes

),

reasons as (

    select
        sizes.input,
        sizes.reason,
        sizes.action,
        sizes.line_count as rows,
        sizes.orders,
        sizes.amount,
        {{ seg_sql.safe_div('sizes.amount', 'read_in_all.amount') }} as amount_share
    from sizes
    cross join read_in_all

)

select * from reasons
