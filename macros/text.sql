{# An id or text as text in binary order, for ORDER BY, min, max and comparisons. #}
{% macro bin(x) -%}
    {{ adapter.dispatch('bin', 'seg_sql')(x) }}
{%- endmacro %}

{% macro default__bin(x) -%}
    cast({{ x }} as {{ seg_sql.text() }})
{%- endmacro %}

{# PostgreSQL compares text by the database's language, where 'a' < 'B'. #}
{% macro postgres__bin(x) -%}
    (cast({{ x }} as text) collate "C")
{%- endmacro %}


{# As `bin`, for what is text already. #}
{% macro bin_text(x) -%}
    {{ adapter.dispatch('bin_text', 'seg_sql')(x) }}
{%- endmacro %}

{% macro default__bin_text(x) -%}
    ({{ x }})
{%- endmacro %}

{% macro postgres__bin_text(x) -%}
    (({{ x }}) collate "C")
{%- endmacro %}


{# The texts of a group, joined by `separator` (a SQL expression) in the order of `order_by`. #}
{% macro string_agg(x, separator, order_by) -%}
    {{ adapter.dispatch('string_agg', 'seg_sql')(x, separator, order_by) }}
{%- endmacro %}

{% macro default__string_agg(x, separator, order_by) -%}
    string_agg(cast({{ x }} as {{ seg_sql.text() }}), {{ separator }} order by {{ order_by }})
{%- endmacro %}


{# A text without the blanks, tabs, line ends and no-break spaces around it. #}
{% macro trimmed(x) -%}
    {{ adapter.dispatch('trimmed', 'seg_sql')(x) }}
{%- endmacro %}

{% macro default__trimmed(x) -%}
    trim(cast({{ x }} as {{ seg_sql.text() }}), ' ' || chr(9) || chr(10) || chr(13) || chr(160))
{%- endmacro %}


{# An id without what exports add to it or take off: blanks around it, small letters, zeros before it,
   and the .0 of a number that was taken for no whole one. #}
{% macro plain_id(x) -%}
    {{ adapter.dispatch('plain_id', 'seg_sql')(x) }}
{%- endmacro %}

{% macro default__plain_id(x) -%}
    {%- set text = seg_sql.ascii_upper(seg_sql.trimmed(x)) -%}
    ltrim(
        case when right({{ text }}, 2) = '.0' then substring({{ text }}, 1, length({{ text }}) - 2)
        else {{ text }} end,
        '0'
    )
{%- endmacro %}


{# Whether an id may have what plain_id takes off: a quick look at both its ends and its letters. #}
{% macro is_decorated_id(x) -%}
    {{ adapter.dispatch('is_decorated_id', 'seg_sql')(x) }}
{%- endmacro %}

{% macro default__is_decorated_id(x) -%}
    {%- set text = 'cast(' ~ x ~ ' as ' ~ seg_sql.text() ~ ')' -%}
    {%- set blanks = "' ', chr(9), chr(10), chr(13), chr(160)" -%}
    (
        {{ text }} <> {{ seg_sql.ascii_upper(x) }}
        or left({{ text }}, 1) in ({{ blanks }})
        or right({{ text }}, 1) in ({{ blanks }})
        or (left({{ text }}, 1) = '0' and length({{ text }}) > 1)
        or right({{ text }}, 2) = '.0'
    )
{%- endmacro %}


{# Whether the whole text matches a regular expression, given without quotes and backslashes. #}
{% macro matches(x, pattern) -%}
    {{ adapter.dispatch('matches', 'seg_sql')(x, pattern) }}
{%- endmacro %}

{% macro default__matches(x, pattern) -%}
    regexp_full_match({{ x }}, '{{ pattern }}')
{%- endmacro %}

{# PostgreSQL refuses regular expressions on text of a nondeterministic collation. #}
{% macro postgres__matches(x, pattern) -%}
    ((({{ x }}) collate "C") ~ '^(?:{{ pattern }})$')
{%- endmacro %}
