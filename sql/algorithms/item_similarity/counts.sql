{#- Whether a line counts. -#}
reason = 'kept' and {{ unit }} is not null{{ ' and order_date >= ' ~ since if since }}
