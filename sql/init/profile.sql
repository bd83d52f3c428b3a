-- How full and how varied each column of the sample is.
-- Grain: one row per column.
with

sample as (

    select {{ columns | join(', ') }}
    from {{ source }} as source_rows
    {%- if limit %}
    limit {{ limit }}
    {%- endif %}

)

{% for column in columns -%}
select
    {{ loop.index0 }} as nth,
    count(*) as n_lines,
    count(nullif(trim(cast({{ column }} as text)), '')) as filled,
    count(distinct nullif(trim(cast({{ column }} as text)), '')) as different
from sample
{{ 'union all' if not loop.last }}
{% endfor -%}
order by nth
