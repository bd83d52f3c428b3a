{#- Whether a line counts. As one truth value: planners take what equals a value for few rows, and
most lines count. -#}
case
    when reason = 'kept' and {{ unit }} is not null{{ ' and order_date >= ' ~ since if since }}
        then true
    else false
end
