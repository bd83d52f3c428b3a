-- What the values of each column look like: every digit becomes a 9, so that 03/04/2026 and
-- 11/12/2025 are both 99/99/9999.
-- Grain: one row per column and shape, the hundred most frequent shapes of each column.
with

sample as (

    select {{ columns | join(', ') }}
    from {{ source }} as source_rows
    {%- if limit %}
    limit {{ limit }}
    {%- endif %}

),

texts as (

    {% for column in columns -%}
    select {{ loop.index0 }} as nth, left(trim(cast({{ column }} as text)), 60) as value_text
    from sample
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

shapes as (

    select
        nth,
        translate(value_text, '0123456789', '9999999999') as shape,
        count(*) as n_lines,
        min(value_text) as low,
        max(value_text) as high
    from texts
    where value_text <> ''
    group by nth, translate(value_text, '0123456789', '9999999999')

),

ranked as (

    select
        nth,
        shape,
        n_lines,
        low,
        high,
        row_number() over (partition by nth order by n_lines desc, shape) as place
    from shapes

)

select nth, shape, n_lines, low, high
from ranked
where place <= 100
order by nth, place
