{# The group of a line: the texts of its partition columns. An expression, no statement. #}
{{ seg_sql.kmeans_group(columns) }}
