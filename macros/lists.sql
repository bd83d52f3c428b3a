{# The values of `x` in a group as a list, an aggregate. Their order is not said. #}
{% macro list_of(x) -%}
    {{ adapter.dispatch('list_of', 'seg_sql')(x) }}
{%- endmacro %}

{% macro default__list_of(x) -%}
    array_agg({{ x }})
{%- endmacro %}

{% macro duckdb__list_of(x) -%}
    list({{ x }})
{%- endmacro %}


{# The different values of `x` in a group as a list, an aggregate. Their order is not said. #}
{% macro set_of(x) -%}
    {{ adapter.dispatch('set_of', 'seg_sql')(x) }}
{%- endmacro %}

{% macro default__set_of(x) -%}
    array_agg(distinct {{ x }})
{%- endmacro %}

{# A list of distinct values takes twice the time of a list that is cleared of equal values. #}
{% macro duckdb__set_of(x) -%}
    list_distinct(list({{ x }}))
{%- endmacro %}


{# The values of a list, each in a row of its own; the rest of the row is repeated. #}
{% macro unnested(list) -%}
    {{ adapter.dispatch('unnested', 'seg_sql')(list) }}
{%- endmacro %}

{% macro default__unnested(list) -%}
    unnest({{ list }})
{%- endmacro %}


{# How many values are in a list. #}
{% macro list_size(list) -%}
    {{ adapter.dispatch('list_size', 'seg_sql')(list) }}
{%- endmacro %}

{% macro default__list_size(list) -%}
    cardinality({{ list }})
{%- endmacro %}

{# There cardinality is for maps. #}
{% macro duckdb__list_size(list) -%}
    len({{ list }})
{%- endmacro %}


{# A number for each row of a table, below 2^30 where it has no more rows; another at each run, so to
   tell rows apart and never to order by. #}
{% macro some_number() -%}
    {{ adapter.dispatch('some_number', 'seg_sql')() }}
{%- endmacro %}

{% macro default__some_number() -%}
    row_number() over ()
{%- endmacro %}

{# A window without an order is computed by one thread, and all that follows it. #}
{% macro duckdb__some_number() -%}
    rowid
{%- endmacro %}
