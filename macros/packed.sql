{# Two numbers from 0 to 1073741823 in one bigint: joins and groups by one column are faster than by
   two. A number times 6949403057 and the other, and not one beside the other in 32 bits each:
   PostgreSQL's hash of a bigint is that of its two halves' exclusive or, so that many pairs of small
   numbers would have the same. #}
{% macro packed(first, second) -%}
    {{ adapter.dispatch('packed', 'seg_sql')(first, second) }}
{%- endmacro %}

{% macro default__packed(first, second) -%}
    (cast({{ first }} as bigint) * 6949403057 + {{ second }})
{%- endmacro %}


{# The first of two packed numbers. #}
{% macro packed_first(key) -%}
    {{ adapter.dispatch('packed_first', 'seg_sql')(key) }}
{%- endmacro %}

{% macro default__packed_first(key) -%}
    cast({{ key }} / 6949403057 as integer)
{%- endmacro %}

{# A single slash is no integer division in DuckDB. #}
{% macro duckdb__packed_first(key) -%}
    cast({{ key }} // 6949403057 as integer)
{%- endmacro %}


{# The second of two packed numbers. #}
{% macro packed_second(key) -%}
    {{ adapter.dispatch('packed_second', 'seg_sql')(key) }}
{%- endmacro %}

{% macro default__packed_second(key) -%}
    cast({{ key }} % 6949403057 as integer)
{%- endmacro %}
