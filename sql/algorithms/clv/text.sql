{# The type of a text. An expression, no statement. #}
{{ seg_sql.text() }}
