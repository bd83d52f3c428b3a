{# The end of a subquery whose expressions must be computed once. #}
{% macro fence() -%}
    {{ adapter.dispatch('fence', 'seg_sql')() }}
{%- endmacro %}

{% macro default__fence() -%}
{%- endmacro %}

{# PostgreSQL would repeat them at each use; unlike `offset 0` this keeps parallel plans. #}
{% macro postgres__fence() -%}
    offset '0'::bigint
{%- endmacro %}


{# The end of a subquery that is grouped by `columns` next, into nearly as many groups as rows. #}
{% macro presorted(columns) -%}
    {{ adapter.dispatch('presorted', 'seg_sql')(columns) }}
{%- endmacro %}

{% macro default__presorted(columns) -%}
{%- endmacro %}

{# PostgreSQL would take a hash table, write what work_mem cannot hold, and sort after all: that
   takes twice the time of one sort. #}
{% macro postgres__presorted(columns) -%}
    order by {{ columns }}
{%- endmacro %}


{# The end of a subquery that is grouped by `columns` next, into far fewer groups than rows, which lie
   scattered. #}
{% macro gathered(columns) -%}
    {{ adapter.dispatch('gathered', 'seg_sql')(columns) }}
{%- endmacro %}

{% macro default__gathered(columns) -%}
{%- endmacro %}

{# DuckDB sorts them in less time than it finds each one's group among millions in memory: into heaps
   by two bytes of a hash, whose groups are few enough for the processor's cache. #}
{% macro duckdb__gathered(columns) -%}
    order by cast(hash({{ columns }}) >> 48 as usmallint)
{%- endmacro %}


{# A named parameter of the statement, in the driver's own style. #}
{% macro param(name) -%}
    {{ adapter.dispatch('param', 'seg_sql')(name) }}
{%- endmacro %}

{% macro default__param(name) -%}
    ${{ name }}
{%- endmacro %}

{% macro postgres__param(name) -%}
    %({{ name }})s
{%- endmacro %}


{# Before a CTE in parentheses: it is computed by itself, whatever reads it. #}
{% macro materialized() -%}
    {{ adapter.dispatch('materialized', 'seg_sql')() }}
{%- endmacro %}

{# PostgreSQL would compute it in one process; Spark does not know it. #}
{% macro default__materialized() -%}
{%- endmacro %}

{# DuckDB takes joins across CTEs in an order of its own, by guesses that can be far out. #}
{% macro duckdb__materialized() -%}
    materialized
{%- endmacro %}


{# In which of `slices` slices of a table the rows with this value of `x` are, from 0 on; by a hash,
   which is the engine's own: the same in one run, and nothing else is to follow from it. #}
{% macro slice_of(x, slices) -%}
    {{ adapter.dispatch('slice_of', 'seg_sql')(x, slices) }}
{%- endmacro %}

{% macro default__slice_of(x, slices) -%}
    cast(floor({{ seg_sql.hash01(x) }} * {{ slices }}) as integer)
{%- endmacro %}

{# Both hash without the text and md5 of hash01: in a fraction of the time. #}
{% macro duckdb__slice_of(x, slices) -%}
    hash({{ x }}) % {{ slices }}
{%- endmacro %}

{% macro postgres__slice_of(x, slices) -%}
    (hashtext(cast({{ x }} as text)) & 2147483647) % {{ slices }}
{%- endmacro %}
