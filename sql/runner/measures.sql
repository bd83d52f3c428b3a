{#- The measures of customers that a person gives, as rfm reads them of rfm_values. -#}
select
    customer_id,
    {% for column in ['first_order_date', 'last_order_date'] -%}
    {{ column if column in columns else 'cast(null as date)' }} as {{ column }},
    {% endfor -%}
    recency,
    frequency,
    monetary
from {{ rows }} as given_rows
