{# The group of a row. An expression, no statement. #}
{{ seg_sql.kmeans_group(columns) }}
