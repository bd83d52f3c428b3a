-- The letters that order ids begin with, and how many of their lines are negative.
-- Grain: one row per prefix; '' for ids that begin with a digit.
with

sample as (

    select
        regexp_replace(trim(cast({{ order_id }} as text)), '[0-9].*$', '') as prefix,
        trim(cast({{ order_id }} as text)) as order_id,
        case
            when {% for number in numbers -%}
            left(trim(cast({{ number }} as text)), 1) = '-'{{ ' or ' if not loop.last }}
            {%- endfor %} then 1
            else 0
        end as is_negative
    from {{ source }} as source_rows
    {%- if limit %}
    limit {{ limit }}
    {%- endif %}

)

select
    prefix,
    count(*) as n_lines,
    cast(sum(is_negative) as bigint) as n_negative,
    min(order_id) as example
from sample
where order_id <> ''
group by prefix
order by n_lines desc, prefix
limit 20
