{# The label of a row's cluster by its id, as it is published. An expression, no statement. #}
{{ seg_sql.kmeans_label(ids, labels) }}
