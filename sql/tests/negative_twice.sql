-- One row where lines have a negative quantity and a negative price: they count as sold.
{{ config(
    severity='warn',
    description='Lines have a negative quantity and a negative unit_price, and so an amount above zero:'
    ~ ' if they are refunds, make one of the two positive, as with `query:` in the input order_lines.'
) }}

select reason, rows as line_count, amount
from {{ ref('input_quality') }} as input_quality
where input = 'order_lines' and reason = 'negative quantity and price'
