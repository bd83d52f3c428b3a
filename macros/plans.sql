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
