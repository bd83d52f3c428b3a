-- Everything about a customer in one wide row, for BI tools and mailing lists.
-- Grain: one row per customer with a purchase. What a model says that this project does not have,
-- such as clv where no amounts are mapped, is NULL of its type.
-- The attributes of the input customers stand at the end; one that has the name of a column here
-- is called customer_<name>. Of several rows for one customer the earliest first order counts.
{{ config(materialized='table', unique_key='customer_id') }}

{%- set own_names = [
    'customer_id', 'as_of', 'first_order_date', 'last_order_date', 'orders', 'revenue',
    'avg_order_value', 'days_since_last', 'rfm_code', 'segment', 'previous_segment',
    'lifecycle_stage', 'p_alive', 'expected_orders', 'clv', 'clv_decile', 'cluster_id',
    'cluster_label', 'top_item_id', 'top_item_name',
] %}
{%- set attributes = input_attributes('customers') if input_has('customers', 'customer_id') else [] %}

with

purchases as (

    select
        customer_id,
        min(case when is_purchase then order_date end) as first_order_date,
        max(case when is_purchase then order_date end) as last_order_date,
        {{ seg_sql.isum('case when is_purchase then 1 else 0 end') }} as orders,
        {{ seg_sql.round('sum(amount)') }} as revenue
    from {{ ref('orders') }} as orders
    group by customer_id

)

{%- if has_model('customer_segment_history') %},

-- The segment that rfm gave at the last as_of before this one.
earlier_segments as (

    select history.customer_id, history.segment
    from {{ ref('customer_segment_history') }} as history
    inner join (
        select max(as_of) as as_of
        from {{ ref('customer_segment_history') }} as dates
        where source = 'rfm' and as_of < {{ seg_sql.as_of() }}
    ) as last_date
        on last_date.as_of = history.as_of
    where history.source = 'rfm'

)
{%- endif %}

{%- if has_model('recommendations') %},

top_items as (

    select customer_id, item_id, item_name
    from {{ ref('recommendations') }} as recommendations
    where rank = 1

)
{%- endif %}

{%- if attributes %},

attributes as (

    select
        customer_id,
        {% for attribute in attributes -%}
        {{ attribute }},
        {% endfor -%}
        row_number() over (
            partition by customer_id
            order by
                first_order_date nulls last
                {%- for attribute in attributes %},
                {{ seg_sql.bin(attribute) }} nulls last
                {%- endfor %}
        ) as copy_number
    from {{ input('customers') }} as customers
    where customer_id is not null

)
{%- endif %},

customers as (

    select
        purchases.customer_id,
        {{ seg_sql.as_of() }} as as_of,
        {% if input_has('customers', 'first_order_date') -%}
        least(purchases.first_order_date, known_customers.first_order_date) as first_order_date,
        {%- else -%}
        purchases.first_order_date,
        {%- endif %}
        purchases.last_order_date,
        purchases.orders,
        purchases.revenue,
        {{ seg_sql.safe_div('purchases.revenue', 'purchases.orders') }} as avg_order_value,
        {{ seg_sql.days_between('purchases.last_order_date', seg_sql.as_of()) }} as days_since_last,
        {% if has_model('rfm') -%}
        rfm.rfm_code,
        rfm.segment,
        {%- else -%}
        cast(null as {{ seg_sql.text() }}) as rfm_code,
        cast(null as {{ seg_sql.text() }}) as segment,
        {%- endif %}
        {% if has_model('customer_segment_history') -%}
        earlier_segments.segment as previous_segment,
        {%- else -%}
        cast(null as {{ seg_sql.text() }}) as previous_segment,
        {%- endif %}
        {% if has_model('customer_lifecycle') -%}
        customer_lifecycle.stage as lifecycle_stage,
        {%- else -%}
        cast(null as {{ seg_sql.text() }}) as lifecycle_stage,
        {%- endif %}
        {% if has_model('clv') -%}
        clv.p_alive,
        clv.expected_orders,
        clv.clv,
        clv.clv_decile,
        {%- else -%}
        cast(null as {{ seg_sql.double() }}) as p_alive,
        cast(null as {{ seg_sql.double() }}) as expected_orders,
        cast(null as {{ seg_sql.double() }}) as clv,
        cast(null as integer) as clv_decile,
        {%- endif %}
        {% if has_model('customer_clusters') -%}
        customer_clusters.cluster_id,
        customer_clusters.cluster_label,
        {%- else -%}
        cast(null as integer) as cluster_id,
        cast(null as {{ seg_sql.text() }}) as cluster_label,
        {%- endif %}
        {% if has_model('recommendations') -%}
        top_items.item_id as top_item_id,
        top_items.item_name as top_item_name
        {%- else -%}
        cast(null as {{ seg_sql.text() }}) as top_item_id,
        cast(null as {{ seg_sql.text() }}) as top_item_name
        {%- endif %}
        {%- for attribute in attributes %},
        attributes.{{ attribute }}
        {%- if attribute[1:-1] | lower in own_names %} as {{ adapter.quote('customer_' ~ attribute[1:-1]) }}
        {%- endif %}
        {%- endfor %}
    from purchases
    {%- if input_has('customers', 'first_order_date') %}
    left join {{ ref('known_customers') }} as known_customers
        on known_customers.customer_id = purchases.customer_id
    {%- endif %}
    {%- if has_model('rfm') %}
    left join {{ ref('rfm') }} as rfm
        on rfm.customer_id = purchases.customer_id
    {%- endif %}
    {%- if has_model('customer_segment_history') %}
    left join earlier_segments
        on earlier_segments.customer_id = purchases.customer_id
    {%- endif %}
    {%- if has_model('customer_lifecycle') %}
    left join {{ ref('customer_lifecycle') }} as customer_lifecycle
        on customer_lifecycle.customer_id = purchases.customer_id
    {%- endif %}
    {%- if has_model('clv') %}
    left join {{ ref('clv') }} as clv
        on clv.customer_id = purchases.customer_id
    {%- endif %}
    {%- if has_model('customer_clusters') %}
    left join {{ ref('customer_clusters') }} as customer_clusters
        on customer_clusters.customer_id = purchases.customer_id
    {%- endif %}
    {%- if has_model('recommendations') %}
    left join top_items
        on top_items.customer_id = purchases.customer_id
    {%- endif %}
    {%- if attributes %}
    left join attributes
        on attributes.customer_id = purchases.customer_id and attributes.copy_number = 1
    {%- endif %}
    where purchases.orders > 0

)

select * from customers
