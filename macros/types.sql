{# The type of every measure: 64-bit binary floating point. #}
{% macro double() -%}
    {{ adapter.dispatch('double', 'seg_sql')() }}
{%- endmacro %}

{% macro default__double() -%}
    double
{%- endmacro %}

{# PostgreSQL knows the type by its two-word name only. #}
{% macro postgres__double() -%}
    double precision
{%- endmacro %}


{# The type of a text of any length. #}
{% macro text() -%}
    {{ adapter.dispatch('text', 'seg_sql')() }}
{%- endmacro %}

{% macro default__text() -%}
    text
{%- endmacro %}


{# A user's column or relation name as an identifier, whatever characters are in it. #}
{% macro ident(name) -%}
    {{ adapter.dispatch('ident', 'seg_sql')(name) }}
{%- endmacro %}

{% macro default__ident(name) -%}
    "{{ name | replace('"', '""') }}"
{%- endmacro %}


{# A Jinja value (none, boolean, integer, float, string) as a literal; a float is never numeric. #}
{% macro lit(value) -%}
    {%- if value is none -%}
        null
    {%- elif value is boolean -%}
        {{ 'true' if value else 'false' }}
    {%- elif value is integer -%}
        {{ value if value >= 0 else '(' ~ value ~ ')' }}
    {%- elif value is float -%}
        {{ adapter.dispatch('lit_float', 'seg_sql')(value | string) }}
    {%- else -%}
        {{ adapter.dispatch('lit_text', 'seg_sql')(value | string) }}
    {%- endif -%}
{%- endmacro %}

{# Cast from text, so that NaN and the infinities are literals like any other float. #}
{% macro default__lit_float(value) -%}
    cast('{{ value }}' as {{ seg_sql.double() }})
{%- endmacro %}

{# The same in a few characters: an exponent makes a literal a double in DuckDB. #}
{% macro duckdb__lit_float(value) -%}
    {%- if 'n' in value -%}
        {{ seg_sql.default__lit_float(value) }}
    {%- else -%}
        {%- set literal = value if 'e' in value else value ~ 'e0' -%}
        {{ '(' ~ literal ~ ')' if literal.startswith('-') else literal }}
    {%- endif -%}
{%- endmacro %}

{% macro default__lit_text(value) -%}
    '{{ value | replace("'", "''") }}'
{%- endmacro %}

{# A backslash is safe under every standard_conforming_strings only in an escape string. #}
{% macro postgres__lit_text(value) -%}
    {%- if '\\' in value -%}
        E'{{ value | replace('\\', '\\\\') | replace("'", "''") }}'
    {%- else -%}
        '{{ value | replace("'", "''") }}'
    {%- endif -%}
{%- endmacro %}
