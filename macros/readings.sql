{# A text as a double; NULL when it is not a plain decimal number in a double's range. #}
{% macro try_number(x, decimal_comma=false) -%}
    {%- set group = '[.]' if decimal_comma else ',' -%}
    {%- set point = ',' if decimal_comma else '[.]' -%}
    {%- set text = seg_sql.bin(x) -%}
    {%- set trimmed = seg_sql.trimmed(text) -%}
    {{ adapter.dispatch('try_number', 'seg_sql')(
        text,
        trimmed,
        seg_sql.ungrouped(text, decimal_comma),
        seg_sql.ungrouped(trimmed, decimal_comma),
        '[+-]?[0-9]{1,15}(' ~ point ~ '[0-9]{0,15})?',
        seg_sql.number_pattern(group, point)
    ) }}
{%- endmacro %}

{# A sign, digits (thousands in proper groups or not) and a fraction; the exponent comes on top.
   A grouped number does not start with 0: '0,123' is a decimal comma, not 123. #}
{% macro number_pattern(group, point) -%}
    [+-]?(([0-9]+|[1-9][0-9]{0,2}({{ group }}[0-9]{3})+)({{ point }}[0-9]*)?|{{ point }}[0-9]+)
{%- endmacro %}

{# A number's text without group separators, and with a decimal point. #}
{% macro ungrouped(text, decimal_comma) -%}
    {%- if decimal_comma -%}
        replace(replace({{ text }}, '.', ''), ',', '.')
    {%- else -%}
        replace({{ text }}, ',', '')
    {%- endif -%}
{%- endmacro %}

{# The first arm is what nearly all numbers look like, and several times faster. #}
{% macro default__try_number(text, trimmed, number, trimmed_number, usual, pattern) -%}
    {%- set infinity = "cast('Infinity' as " ~ seg_sql.double() ~ ")" -%}
    case
        when {{ seg_sql.matches(text, usual) }}
            then try_cast({{ number }} as {{ seg_sql.double() }})
        when length({{ trimmed }}) <= 1000
            and {{ seg_sql.matches(trimmed, pattern ~ '([eE][+-]?[0-9]{1,3})?') }}
            then nullif(
                nullif(try_cast({{ trimmed_number }} as {{ seg_sql.double() }}), {{ infinity }}),
                -{{ infinity }}
            )
    end
{%- endmacro %}

{# A cast of PostgreSQL raises, also on 1e999 and 1e-999: what is surely in range is cast, the rest
   compared as numeric with the ends of a double's range first. #}
{% macro postgres__try_number(text, trimmed, number, trimmed_number, usual, pattern) -%}
    case
        when {{ seg_sql.matches(text, usual) }}
            then cast({{ number }} as double precision)
        when length({{ trimmed }}) <= 150
            and {{ seg_sql.matches(trimmed, pattern ~ '([eE][+-]?[0-9]{1,2})?') }}
            then cast({{ trimmed_number }} as double precision)
        when length({{ trimmed }}) <= 1000
            and {{ seg_sql.matches(trimmed, pattern ~ '([eE][+-]?[0-9]{1,3})?') }}
            then case
                when abs(cast({{ trimmed_number }} as numeric)) >= 1.7976931348623158079e308
                    then null
                when abs(cast({{ trimmed_number }} as numeric)) < 2.4703282292062328e-324
                    then 0
                else cast({{ trimmed_number }} as double precision)
            end
    end
{%- endmacro %}


{# A text as a timestamp; NULL when it is not a day that exists, with an optional time of day.
   Read: YYYY-MM-DD, and by `date_order` YYYY/MM/DD and YYYYMMDD (ymd), DD/MM/YYYY (dmy) or
   MM/DD/YYYY (mdy) with / - or . between; then optionally, after a blank or T, HH:MM[:SS[.f]];
   then optionally Z, UTC or an offset, which brings the time to the session's time zone. #}
{% macro try_timestamp(x, date_order='ymd') -%}
    {{ adapter.dispatch('try_timestamp', 'seg_sql')(
        seg_sql.bin(x), seg_sql.year_first(seg_sql.trimmed(seg_sql.bin(x)), date_order)
    ) }}
{%- endmacro %}

{# The first arm is what most moments look like, and several times faster. #}
{% macro default__try_timestamp(text, year_first) -%}
    {%- set local = seg_sql.moment_pattern(zoned=false) -%}
    case
        when {{ seg_sql.matches(text, local) }}
            then try_cast({{ text }} as timestamp)
        when {{ seg_sql.matches(year_first, local) }}
            then try_cast({{ year_first }} as timestamp)
        when {{ seg_sql.matches(year_first, seg_sql.moment_pattern(zoned=true)) }}
            then cast(
                try_cast({{ seg_sql.full_offset(year_first) }} as timestamp with time zone)
                as timestamp
            )
    end
{%- endmacro %}

{# No try_cast here: the patterns accept only what the cast can read. #}
{% macro postgres__try_timestamp(text, year_first) -%}
    {%- set local = seg_sql.moment_pattern(zoned=false) -%}
    case
        when {{ seg_sql.matches(text, local) }}
            then cast({{ seg_sql.to_microseconds(text) }} as timestamp)
        when {{ seg_sql.matches(year_first, local) }}
            then cast({{ seg_sql.to_microseconds(year_first) }} as timestamp)
        when {{ seg_sql.matches(year_first, seg_sql.moment_pattern(zoned=true)) }}
            then cast(
                cast({{ seg_sql.to_microseconds(year_first) }} as timestamp with time zone)
                as timestamp
            )
    end
{%- endmacro %}

{# A moment without its seventh digit of the second and later ones, which PostgreSQL would round
   and DuckDB cuts off. #}
{% macro to_microseconds(text) -%}
    regexp_replace({{ text }}, '([.][0-9]{6})[0-9]+', '\1')
{%- endmacro %}


{# The date of `try_timestamp`. #}
{% macro try_date(x, date_order='ymd') -%}
    cast({{ seg_sql.try_timestamp(x, date_order) }} as date)
{%- endmacro %}


{# A text that starts with a date in `date_order`, with that date as YYYY-MM-DD; others as they are.
   The two separators must be equal, hence the middle part once with each. #}
{% macro year_first(text, date_order) -%}
    {%- set compact = '([0-9]{2})([0-9]{2})$' -%}
    {%- set middle = '(?:/([0-9]{1,2})/|-([0-9]{1,2})-|[.]([0-9]{1,2})[.])' -%}
    {%- set pattern, parts = {
        'ymd': ('^([0-9]{4})(?:/([0-9]{1,2})/([0-9]{1,2})|' ~ compact ~ ')', '\\1-\\2\\4-\\3\\5'),
        'dmy': ('^([0-9]{1,2})' ~ middle ~ '([0-9]{4})($|[^0-9])', '\\5-\\2\\3\\4-\\1\\6'),
        'mdy': ('^([0-9]{1,2})' ~ middle ~ '([0-9]{4})($|[^0-9])', '\\5-\\1-\\2\\3\\4\\6'),
    }[date_order] -%}
    regexp_replace({{ text }}, '{{ pattern }}', '{{ parts }}')
{%- endmacro %}

{# A day that exists in the years 1 to 9999, month by month, and a time of day; `zoned` says whether
   its distance from UTC must follow, or must not. #}
{% macro moment_pattern(zoned) -%}
    {%- set year = '([0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)' -%}
    {%- set by_four = '(0[48]|[2468][048]|[13579][26])' -%}
    {%- set leap_year = '([0-9]{2}' ~ by_four ~ '|' ~ by_four ~ '00)' -%}
    {%- set long_month = '(0?[13578]|1[02])-(0?[1-9]|[12][0-9]|3[01])' -%}
    {%- set short_month = '(0?[469]|11)-(0?[1-9]|[12][0-9]|30)' -%}
    {%- set february = '0?2-(0?[1-9]|1[0-9]|2[0-8])' -%}
    {%- set time = '[ T]([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?' -%}
    {%- set offset = ' ?(Z|UTC|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)' -%}
    ({{ year }}-({{ long_month }}|{{ short_month }}|{{ february }})|{{ leap_year }}-0?2-29)
    {{- time ~ offset if zoned else '(' ~ time ~ ')?' -}}
{%- endmacro %}

{# A moment with its offset as DuckDB 1.4 reads it: with seconds, no blank, +00 for Z and UTC. #}
{% macro full_offset(text) -%}
    {%- set signed = "regexp_replace(" ~ text ~ ", ' ?(Z|UTC)$', '+00')" -%}
    {%- set timed = "regexp_replace(" ~ signed ~ ", '^([^:]*:[0-9]{2}) ?([+-])', '\\1:00\\2')" -%}
    replace(replace({{ timed }}, ' +', '+'), ' -', '-')
{%- endmacro %}
