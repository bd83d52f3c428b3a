{# The type of a weight. An expression, no statement. #}
{{ seg_sql.double() }}
