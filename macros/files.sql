{# A file as a relation; only DuckDB reads files. Text stays text: no row is lost to a guess. #}
{% macro read_file(path, format, separator=none) -%}
    {{ adapter.dispatch('read_file', 'seg_sql')(path, format, separator) }}
{%- endmacro %}

{% macro default__read_file(path, format, separator=none) -%}
    {{ exceptions.raise_compiler_error('This database cannot read the file ' ~ path ~ '.') }}
{%- endmacro %}

{% macro duckdb__read_file(path, format, separator=none) -%}
    {%- if format == 'parquet' -%}
        read_parquet({{ seg_sql.lit(path) }}, union_by_name = true)
    {%- else -%}
        {#- What the reader guesses from the first lines holds for all: without `quote` the names in
           a file whose first lines have no quotes keep theirs, without `comment` a line of order
           '#1001' may be skipped. Columns of several files are matched by name as it is; with
           `union_by_name` the reader would not list its rejects. -#}
        read_csv(
            {{ seg_sql.lit(path) }}, header = true, all_varchar = true, store_rejects = true,
            quote = '"', comment = ''
        )
    {%- endif -%}
{%- endmacro %}
