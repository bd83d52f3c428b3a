{#- Given rows as a SELECT: of a seed, or of a unit test. -#}
{%- for row in rows %}
select
    {%- for column in columns %}
    cast({{ seg_sql.lit(row[loop.index0]) }} as {{ column.type }}) as {{ adapter.quote(column.name) }}{{ ',' if not loop.last }}
    {%- endfor %}
{{ 'union all' if not loop.last }}
{%- else %}
select
    {%- for column in columns %}
    cast(null as {{ column.type }}) as {{ adapter.quote(column.name) }}{{ ',' if not loop.last }}
    {%- endfor %}
where 1 = 0
{%- endfor %}
