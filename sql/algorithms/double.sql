{# The type of a measure. An expression, no statement. #}
{{ seg_sql.double() }}
