{# A date written in ISO form, as a DATE. #}
{% macro date_literal(text) -%}
    {{ adapter.dispatch('date_literal', 'seg_sql')(text) }}
{%- endmacro %}

{% macro default__date_literal(text) -%}
    cast('{{ text }}' as date)
{%- endmacro %}


{# The exclusive end of what is read: the project var `as_of`. #}
{% macro as_of() -%}
    {{ seg_sql.date_literal(var('as_of')) }}
{%- endmacro %}


{# Whole days from `start` to `stop`, as an integer. #}
{% macro days_between(start, stop) -%}
    {{ adapter.dispatch('days_between', 'seg_sql')(start, stop) }}
{%- endmacro %}

{% macro default__days_between(start, stop) -%}
    cast(cast({{ stop }} as date) - cast({{ start }} as date) as integer)
{%- endmacro %}


{# The date `n` days after `d`. #}
{% macro add_days(d, n) -%}
    {{ adapter.dispatch('add_days', 'seg_sql')(d, n) }}
{%- endmacro %}

{% macro default__add_days(d, n) -%}
    (cast({{ d }} as date) + cast({{ n }} as integer))
{%- endmacro %}


{# The first day of the month of `d`. #}
{% macro month_floor(d) -%}
    {{ adapter.dispatch('month_floor', 'seg_sql')(d) }}
{%- endmacro %}

{# Through timestamp: PostgreSQL would take a DATE through the session's time zone. #}
{% macro default__month_floor(d) -%}
    cast(date_trunc('month', cast({{ d }} as timestamp)) as date)
{%- endmacro %}


{# The date `n` months after `d`, a first of month. #}
{% macro add_months(d, n) -%}
    {{ adapter.dispatch('add_months', 'seg_sql')(d, n) }}
{%- endmacro %}

{% macro default__add_months(d, n) -%}
    cast(cast({{ d }} as date) + cast({{ n }} as integer) * interval '1' month as date)
{%- endmacro %}


{# Calendar months from that of `start` to that of `stop`, as an integer, whatever the days. #}
{% macro months_between(start, stop) -%}
    {{ adapter.dispatch('months_between', 'seg_sql')(start, stop) }}
{%- endmacro %}

{% macro default__months_between(start, stop) -%}
    {%- set start = 'cast(' ~ start ~ ' as date)' -%}
    {%- set stop = 'cast(' ~ stop ~ ' as date)' -%}
    cast(
        12 * (extract(year from {{ stop }}) - extract(year from {{ start }}))
        + extract(month from {{ stop }}) - extract(month from {{ start }})
        as integer
    )
{%- endmacro %}


{# The month of `d` as text, 'YYYY-MM'. #}
{% macro month_label(d) -%}
    {{ adapter.dispatch('month_label', 'seg_sql')(d) }}
{%- endmacro %}

{% macro default__month_label(d) -%}
    left(cast(cast({{ d }} as date) as {{ seg_sql.text() }}), 7)
{%- endmacro %}

{# The text of a date depends on PostgreSQL's DateStyle. #}
{% macro postgres__month_label(d) -%}
    to_char(cast({{ d }} as date), 'YYYY-MM')
{%- endmacro %}


{# A relation of DATEs `month_start`: the first of each month from that of `start` to `stop`. #}
{% macro months(start, stop) -%}
    {{ adapter.dispatch('months', 'seg_sql')(start, stop) }}
{%- endmacro %}

{# The ends are columns of a row: DuckDB takes no subquery as a table function's argument. #}
{% macro default__months(start, stop) -%}
    (
        select cast(series.month_start as date) as month_start
        from (
            select
                date_trunc('month', cast({{ start }} as timestamp)) as first_month,
                cast({{ stop }} as timestamp) as last_moment
        ) as ends
        cross join lateral generate_series(ends.first_month, ends.last_moment, interval '1' month)
            as series (month_start)
    )
{%- endmacro %}


{# A relation of integers `n` from `first` to `last`. #}
{% macro numbers(first, last) -%}
    {{ adapter.dispatch('numbers', 'seg_sql')(first, last) }}
{%- endmacro %}

{% macro default__numbers(first, last) -%}
    (
        select cast(series.n as integer) as n
        from generate_series({{ first }}, {{ last }}) as series (n)
    )
{%- endmacro %}

{# DuckDB takes no subquery as a table function's argument, but a column of another relation;
   that is 40 times slower, so not for two integers. #}
{% macro duckdb__numbers(first, last) -%}
    {%- if first is integer and last is integer -%}
        {{ seg_sql.default__numbers(first, last) }}
    {%- else -%}
        (
            select cast(series.n as integer) as n
            from (select {{ first }} as first_n, {{ last }} as last_n) as ends
            cross join lateral generate_series(ends.first_n, ends.last_n) as series (n)
        )
    {%- endif -%}
{%- endmacro %}
