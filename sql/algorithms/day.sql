{# A day. An expression, no statement. #}
cast({{ day }} as date)
