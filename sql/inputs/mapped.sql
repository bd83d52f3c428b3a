{#- The raw relation of an input with the columns that seg-sql knows, typed.
    Grain: one row per raw row. A text that cannot be read as its type is NULL; has_<column> is 1
    where the raw value was there. -#}

{#- An id keeps its type; a blank text is no id, nor is a NaN, which stands for an absent id in a
    column that was made of integers and gaps. -#}
{%- macro typed_id(column) -%}
    {%- if column.raw_kind == 'text' -%}
        {#- A blank text sorts before '!'; only what does is worth trimming. -#}
        case
            when {{ seg_sql.bin_text(column.raw) }} < '!' and trim({{ column.raw }}) = '' then null
            else {{ column.raw }}
        end
    {%- elif column.raw_type | default('') in ('double', 'float', 'double precision', 'real') -%}
        nullif({{ column.raw }}, cast('NaN' as {{ seg_sql.double() }}))
    {%- else -%}
        {{ column.raw }}
    {%- endif -%}
{%- endmacro -%}

{%- macro typed_number(column) -%}
    {%- if column.raw_kind == 'text' -%}
        {{ seg_sql.try_number(column.raw, decimal_comma) }}
    {%- elif column.raw_type | default('') in ('numeric', 'money') -%}
        {{ seg_sql.numeric_to_double(column.raw) }}
    {%- else -%}
        cast({{ column.raw }} as {{ seg_sql.double() }})
    {%- endif -%}
{%- endmacro -%}

{%- macro typed_timestamp(column) -%}
    {%- if column.raw_kind == 'text' -%}
        {{ seg_sql.try_timestamp(column.raw, date_order) }}
    {%- else -%}
        cast({{ column.raw }} as timestamp)
    {%- endif -%}
{%- endmacro -%}

{%- macro typed_date(column) -%}
    {%- if column.raw_kind == 'text' -%}
        {{ seg_sql.try_date(column.raw, date_order) }}
    {%- else -%}
        cast({{ column.raw }} as date)
    {%- endif -%}
{%- endmacro -%}

{%- macro typed_boolean(column) -%}
    {%- if column.raw_kind == 'text' -%}
        (lower(trim({{ column.raw }})) in ('true', 't', 'yes', 'y', '1'))
    {%- elif column.raw_kind == 'number' -%}
        ({{ column.raw }} <> 0)
    {%- else -%}
        {{ column.raw }}
    {%- endif -%}
{%- endmacro -%}

{%- macro typed_text(column) -%}
    cast({{ column.raw }} as {{ seg_sql.text() }})
{%- endmacro -%}

{#- An unmapped column is NULL of its declared type. -#}
{%- macro absent(column) -%}
    cast(null as {{ {
        'id': seg_sql.text(), 'text': seg_sql.text(), 'number': seg_sql.double(),
        'timestamp': 'timestamp', 'date': 'date', 'boolean': 'boolean',
    }[column.type] }})
{%- endmacro -%}

{%- set typed = {
    'id': typed_id, 'number': typed_number, 'timestamp': typed_timestamp, 'date': typed_date,
    'boolean': typed_boolean, 'text': typed_text,
} -%}

select
{%- for column in columns %}
    {{ typed[column.type](column) if column.raw else absent(column) }} as {{ column.name }},
{%- endfor %}
{%- for column in columns if column.flagged %}
    {% if column.raw_kind == 'text' -%}
    case when trim({{ column.raw }}) <> '' then 1 else 0 end as has_{{ column.name }},
    {%- else -%}
    case when {{ column.raw }} is null then 0 else 1 end as has_{{ column.name }},
    {%- endif %}
{%- endfor %}
{%- for attribute in attributes %}
    {{ attribute }},
{%- endfor %}
{%- if anonymous_ids %}
    {%- set wanted = customer_id if anonymous_ids[0] is integer
        else 'cast(' ~ customer_id ~ ' as ' ~ seg_sql.text() ~ ')' %}
    case when {{ wanted }} in (
        {%- for id in anonymous_ids %}{{ seg_sql.lit(id) }}{{ ', ' if not loop.last }}{% endfor -%}
    ) then 1 else 0 end as is_anonymous
{%- else %}
    0 as is_anonymous
{%- endif %}
from {{ source }} as raw_rows
{%- if conditions %}
where
    {{ conditions | join('\n    and ') }}
{%- endif %}
