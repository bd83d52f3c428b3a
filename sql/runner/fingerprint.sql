-- What the order lines are, in four numbers: enough to know whether they have changed,
-- and the last day, from which as_of follows.
select
    count(*) as line_count,
    max(ordered_at) as last_ordered_at,
    max(case when ordered_at <= {{ now }} then ordered_at end) as last_known_at,
    sum(case when {{ seg_sql.is_usable('amount') }} then amount end) as amount
from (
    select
        ordered_at,
        {% if input_has('order_lines', 'amount') -%}
        amount
        {%- else -%}
        {{ seg_sql.safe_product('quantity', 'unit_price') }} as amount
        {%- endif %}
    from {{ input('order_lines') }} as order_lines
) as priced
