{#- The first day that is held out. -#}
{{ seg_sql.add_days(seg_sql.date_literal(as_of), -days) }}
