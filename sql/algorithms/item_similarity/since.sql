{#- The first day of the window. -#}
{{ seg_sql.add_days(seg_sql.date_literal(as_of), -window_days) }}
