{# A feature of a row as KMeans takes it: filled, winsorised and transformed, a double.
   `feature` has: column (an expression), fill_value, lower_bound, upper_bound (literals, '' for
   none), transform, and nonnegative, which allows the short form of the transform. #}
{% macro kmeans_value(feature) -%}
    {%- set x = seg_sql.kmeans_clipped(feature) -%}
    {%- if feature.transform == 'none' -%}
        {{ x }}
    {%- elif feature.transform == 'log1p' -%}
        {%- if feature.nonnegative -%}
            ln(1 + {{ x }})
        {%- else -%}
            case when {{ x }} >= 0 then ln(1 + {{ x }}) else -ln(1 - {{ x }}) end
        {%- endif -%}
    {%- elif feature.nonnegative -%}
        sqrt({{ x }})
    {%- else -%}
        case when {{ x }} >= 0 then sqrt({{ x }}) else -sqrt(-{{ x }}) end
    {%- endif -%}
{%- endmacro %}

{# A feature of a row in its own unit, after filling and winsorising. #}
{% macro kmeans_clipped(feature) -%}
    {%- set x = 'cast(' ~ feature.column ~ ' as ' ~ seg_sql.double() ~ ')' -%}
    {%- set filled = 'coalesce(' ~ x ~ ', ' ~ feature.fill_value ~ ')' if feature.fill_value else x -%}
    {%- if feature.lower_bound -%}
        least(greatest({{ filled }}, {{ feature.lower_bound }}), {{ feature.upper_bound }})
    {%- else -%}
        {{ filled }}
    {%- endif -%}
{%- endmacro %}


{# A pseudo-random bigint in [0, 2147483647) from a row's key, the same on every engine.
   Whole numbers take modular arithmetic, whose products stay below 2^63: ten times faster than a
   digest of text at 10 million rows. #}
{% macro kmeans_hash(key, seed, whole) -%}
    {%- if whole -%}
        {%- set h = '(((cast(' ~ key ~ ' as bigint) % 2147483647 + 2147483647) % 2147483647'
            ~ ' * 48271 + ' ~ (seed * 69621 + 12345) % 2147483647 ~ ') % 2147483647)' -%}
        ({{ h }} * ({{ h }} % 65521 + 1) % 2147483647)
    {%- else -%}
        cast(floor({{ seg_sql.hash01(key, seed) }} * 2147483647) as bigint)
    {%- endif -%}
{%- endmacro %}


{# The squared distance of x0, x1 .. to a centroid, given as literals. #}
{% macro kmeans_squared(centroid) -%}
    {%- for value in centroid -%}
        (x{{ loop.index0 }} - {{ value }}) * (x{{ loop.index0 }} - {{ value }})
        {{- ' + ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{# The group of a row as one text; a missing value is '(none)'. #}
{% macro kmeans_group(columns) -%}
    {%- for column in columns -%}
        coalesce(cast({{ column }} as {{ seg_sql.text() }}), '(none)')
        {{- " || ' | ' || " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{# Of `values`, one for each centroid, that of the nearest. #}
{% macro kmeans_nearest(values) -%}
    case label
    {%- for value in values[:-1] %} when {{ loop.index0 }} then {{ value }}{% endfor %}
    {{- ' else ' ~ values[-1] }} end
{%- endmacro %}

{# The same of the second nearest; the first of those equally near. #}
{% macro kmeans_second_nearest(values) -%}
    case
    {%- for value in values[:-1] %} when d{{ loop.index0 }} = second_best and label <> {{ loop.index0 }}
        {{- ' then ' ~ value }}
    {%- endfor %}
    {{- ' else ' ~ values[-1] }} end
{%- endmacro %}
