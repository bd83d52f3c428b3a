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


{# The lot of a row, from its key: a pseudo-random bigint in [0, 2147483647), the same on every
   engine. The rows of a sample are those of the lowest lots.
   Of whole numbers it is a multiple modulo a prime, by the golden section: consecutive ones fall
   evenly, and it costs a quarter of a better hash, and a fortieth of a digest of text. #}
{% macro kmeans_lot(key, seed, whole) -%}
    {%- if whole -%}
        ((abs(cast({{ key }} as bigint) % 2147483647) * 1327217885 + {{ (seed * 69621 + 12345) % 2147483647 }}) % 2147483647)
    {%- else -%}
        cast(floor({{ seg_sql.hash01(key, seed) }} * 2147483647) as bigint)
    {%- endif -%}
{%- endmacro %}


{# A lot, mixed: a pseudo-random bigint in [0, 2147483647) that draws among the rows of a sample. #}
{% macro kmeans_hash(lot) -%}
    ({{ lot }} * ({{ lot }} % 65521 + 1) % 2147483647)
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


{# The place of the least of some doubles, of the first where several are equally small. #}
{% macro kmeans_place_of_least(values) -%}
    {{ adapter.dispatch('kmeans_place_of_least', 'seg_sql')(values) }}
{%- endmacro %}

{% macro default__kmeans_place_of_least(values) -%}
    case least({{ values | join(', ') }})
    {%- for value in values[:-1] %} when {{ value }} then {{ loop.index0 }}{% endfor %}
    {{- ' else ' ~ (values | length - 1) }} end
{%- endmacro %}

{# DuckDB takes three times as long to find the least of five as to compare them one by one. #}
{% macro duckdb__kmeans_place_of_least(values) -%}
    case
    {%- for value in values[:-1] %} when {{ value }} <= {{ values[loop.index:] | join(' and ' ~ value ~ ' <= ') }}
        {{- ' then ' ~ loop.index0 }}
    {%- endfor %}
    {{- ' else ' ~ (values | length - 1) }} end
{%- endmacro %}


{# Of `values`, one for each centroid, that of the nearest: of ids, mostly 1, 2 .., in short. #}
{% macro kmeans_nearest(values) -%}
    {%- if values == range(1, values | length + 1) | map('string') | list -%}
    label + 1
    {%- else -%}
    case label
    {%- for value in values[:-1] %} when {{ loop.index0 }} then {{ value }}{% endfor %}
    {{- ' else ' ~ values[-1] }} end
    {%- endif -%}
{%- endmacro %}


{# The same of the second nearest; the first of those equally near. #}
{% macro kmeans_second_nearest(values) -%}
    case
    {%- for value in values[:-1] %} when d{{ loop.index0 }} = second_best and label <> {{ loop.index0 }}
        {{- ' then ' ~ value }}
    {%- endfor %}
    {{- ' else ' ~ values[-1] }} end
{%- endmacro %}


{# The label of the cluster cluster_id; `ids` and `labels` are literals, in the same order. #}
{% macro kmeans_label(ids, labels) -%}
    {{ adapter.dispatch('kmeans_label', 'seg_sql')(ids, labels) }}
{%- endmacro %}

{% macro default__kmeans_label(ids, labels) -%}
    case cluster_id
    {%- for id in ids[:-1] %} when {{ id }} then {{ labels[loop.index0] }}{% endfor %}
    {{- ' else ' ~ labels[-1] }} end
{%- endmacro %}

{# To group by an element of a list takes DuckDB a third of the time that a CASE takes, and to write
   the rows less too. #}
{% macro duckdb__kmeans_label(ids, labels) -%}
    {%- if ids == range(1, ids | length + 1) | map('string') | list -%}
    [{{ labels | join(', ') }}][cluster_id]
    {%- else -%}
    {{ seg_sql.default__kmeans_label(ids, labels) }}
    {%- endif -%}
{%- endmacro %}
