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
