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


{# What tells the rows of a table apart, where it has no key: good within one statement. #}
{% macro row_mark() -%}
    {{ adapter.dispatch('row_mark', 'seg_sql')() }}
{%- endmacro %}

{% macro default__row_mark() -%}
    rowid
{%- endmacro %}

{% macro postgres__row_mark() -%}
    ctid
{%- endmacro %}
