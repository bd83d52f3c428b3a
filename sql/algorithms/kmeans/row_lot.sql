{# The lot of a row, by its key: decides who is in a sample, and draws start centroids.
   An expression, no statement. Several key columns are joined to one text. #}
{% if whole -%}
{{ seg_sql.kmeans_lot(columns[0], seed, true) }}
{%- else -%}
{%- set texts = [] -%}
{%- for column in columns -%}
{%- do texts.append('cast(' ~ column ~ ' as ' ~ seg_sql.text() ~ ')') -%}
{%- endfor -%}
{{ seg_sql.kmeans_lot(texts | join(" || '|' || "), seed, false) }}
{%- endif %}
