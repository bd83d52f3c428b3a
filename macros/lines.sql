{# Whether a number can be money: 0, or of a size that sums and products cannot overflow.
   NaN sorts above every number, so that it and infinity fail the upper bound. #}
{% macro is_usable(x) -%}
    ({{ x }} = 0 or abs({{ x }}) between {{ seg_sql.lit(1e-100) }} and {{ seg_sql.lit(1e15) }})
{%- endmacro %}

{# a * b, NULL when either is NULL, NaN when either is no usable number: PostgreSQL raises an error
   where a product overflows. #}
{% macro safe_product(a, b) -%}
    case
        when {{ a }} is null or {{ b }} is null then null
        when {{ seg_sql.is_usable(a) }} and {{ seg_sql.is_usable(b) }} then {{ a }} * {{ b }}
        else cast('NaN' as {{ seg_sql.double() }})
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
