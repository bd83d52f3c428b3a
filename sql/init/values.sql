-- The most frequent values of one column of the sample, by orders and then by lines.
-- Grain: one row per value.
with

sample as (

    select
        cast({{ column }} as text) as value_text,
        {{ order_id or 'cast(null as text)' }} as order_id
    from {{ source }} as source_rows
    {%- if limit %}
    limit {{ limit }}
    {%- endif %}

)

select
    value_text,
    count(*) as n_lines,
    count(distinct order_id) as n_orders
from sample
where trim(value_text) <> ''
group by value_text
order by n_orders desc, n_lines desc, value_text
limit 50
