-- Whether an amount is the same on all lines of each order of several lines, and whether an order
-- id has several customers.
-- Grain: one row.
with

sample as (

    select
        {{ order_id }} as order_id,
        {{ customer_id or 'cast(null as text)' }} as customer_id
        {%- for amount in amounts %},
        trim(cast({{ amount }} as text)) as amount_{{ loop.index0 }}
        {%- endfor %}
    from {{ source }} as source_rows
    {%- if limit %}
    limit {{ limit }}
    {%- endif %}

),

by_order as (

    select
        order_id,
        count(*) as n_lines,
        {%- for amount in amounts %}
        count(nullif(amount_{{ loop.index0 }}, '')) as filled_{{ loop.index0 }},
        min(amount_{{ loop.index0 }}) as low_{{ loop.index0 }},
        max(amount_{{ loop.index0 }}) as high_{{ loop.index0 }},
        {%- endfor %}
        count(distinct customer_id) as n_customers
    from sample
    where order_id is not null
    group by order_id

)

select
    {%- for amount in amounts %}
    count(
        case
            when n_lines > 1 and filled_{{ loop.index0 }} = n_lines
                and low_{{ loop.index0 }} = high_{{ loop.index0 }}
                then 1
        end
    ) as constant_{{ loop.index0 }},
    count(distinct case when n_lines > 1 then low_{{ loop.index0 }} end)
        as levels_{{ loop.index0 }},
    {%- endfor %}
    count(*) as n_orders,
    count(case when n_lines > 1 then 1 end) as n_multi_line,
    count(case when n_customers > 1 then 1 end) as n_shared
from by_order
