{#- The group of a line: the text of the columns of partition_by. -#}
{{ seg_sql.kmeans_group(columns) if columns else "'all'" }}
