{# Whether a number can be money: of a size that sums cannot overflow. NaN sorts above every number,
   so that it and infinity fail as well. #}
{% macro is_usable(x) -%}
    (abs({{ x }}) <= {{ seg_sql.lit(1e15) }})
{%- endmacro %}

{# a * b of two doubles, NULL when either is NULL; what is no usable number gives none. #}
{% macro safe_product(a, b) -%}
    {{ adapter.dispatch('safe_product', 'seg_sql')(a, b) }}
{%- endmacro %}

{% macro default__safe_product(a, b) -%}
    ({{ a }} * {{ b }})
{%- endmacro %}

{# PostgreSQL raises an error where a product overflows or underflows. #}
{% macro postgres__safe_product(a, b) -%}
    case
        when {{ a }} is null or {{ b }} is null then null
        when not abs({{ a }}) <= {{ seg_sql.lit(1e150) }}
            or not abs({{ b }}) <= {{ seg_sql.lit(1e150) }}
            then cast('NaN' as double precision)
        when abs({{ a }}) < {{ seg_sql.lit(1e-150) }} or abs({{ b }}) < {{ seg_sql.lit(1e-150) }}
            then {{ seg_sql.lit(0.0) }}
        else {{ a }} * {{ b }}
    end
{%- endmacro %}

{# Whether a timestamp is a day that a shop can have sold on: not infinite, and no slip of the pen
   such as the year 20026 or 26. Python knows no day beyond these years either. #}
{% macro is_day(t) -%}
    ({{ t }} between cast('1600-01-01' as timestamp) and cast('9999-12-31 23:59:59' as timestamp))
{%- endmacro %}

{# A number of any precision as a double; NaN where it is too large for one. #}
{% macro numeric_to_double(x) -%}
    {{ adapter.dispatch('numeric_to_double', 'seg_sql')(x) }}
{%- endmacro %}

{% macro default__numeric_to_double(x) -%}
    cast({{ x }} as {{ seg_sql.double() }})
{%- endmacro %}

{# PostgreSQL has numeric values of any size, and raises an error when one is outside of a double's
   range at either end; money it casts to numeric only. #}
{% macro postgres__numeric_to_double(x) -%}
    {%- set x = 'cast(' ~ x ~ ' as numeric)' -%}
    case
        when abs({{ x }}) between 1e-300 and 1e300 then cast({{ x }} as double precision)
        when abs({{ x }}) < 1e-300 then 0
        when {{ x }} is not null then cast('NaN' as double precision)
    end
{%- endmacro %}

{# The id of an order when the input has none: the customer and the day, 'C42|2026-01-31'. #}
{% macro day_order_id(customer_id, ordered_at) -%}
    cast({{ customer_id }} as {{ seg_sql.text() }}) || '|' || {{ seg_sql.day_text(ordered_at) }}
{%- endmacro %}

{# A day as text, 'YYYY-MM-DD', whatever the reader's session is set to. #}
{% macro day_text(d) -%}
    {{ adapter.dispatch('day_text', 'seg_sql')(d) }}
{%- endmacro %}

{% macro default__day_text(d) -%}
    strftime({{ d }}, '%Y-%m-%d')
{%- endmacro %}

{% macro postgres__day_text(d) -%}
    to_char({{ d }}, 'YYYY-MM-DD')
{%- endmacro %}

{# The columns that part the rows of a group which agree in other columns, at the end of a GROUP BY. #}
{% macro rest_of_key(columns) -%}
    {{ adapter.dispatch('rest_of_key', 'seg_sql')(columns) }}
{%- endmacro %}

{% macro default__rest_of_key(columns) -%}
    {{ columns | join(', ') }}
{%- endmacro %}

{# DuckDB keeps the key of each group in memory: 64 bits instead of all columns. That two of a million
   rows which agree in the other columns get the same bits is a chance of one in thirty million. #}
{% macro duckdb__rest_of_key(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}
