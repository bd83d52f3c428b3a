{# The same day in every row. An expression, no statement. #}
cast({{ day }} as date)
