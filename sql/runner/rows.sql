{#- Given rows as a SELECT: of a seed, or of a unit test. -#}
{%- if rows -%}
select
    {%- for column in columns %}
    cast(given.column_{{ loop.index }} as {{ column.type }}) as {{ adapter.quote(column.name) }}{{ ',' if not loop.last }}
    {%- endfor %}
from (
    values
    {%- for row in rows %}
    ({% for value in row %}{{ seg_sql.lit(value) }}{{ ', ' if not loop.last }}{% endfor %}){{ ',' if not loop.last }}
    {%- endfor %}
) as given ({% for column in columns %}column_{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %})
{%- else -%}
select
    {%- for column in columns %}
    cast(null as {{ column.type }}) as {{ adapter.quote(column.name) }}{{ ',' if not loop.last }}
    {%- endfor %}
where 1 = 0
{%- endif %}
