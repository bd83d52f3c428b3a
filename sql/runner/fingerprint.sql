-- What the order lines are, in a few numbers: enough to know whether they have changed, and the
-- last day, from which as_of follows. A date that no shop sold on is counted as none.
select
    count(*) as line_count,
    {{ seg_sql.isum('has_date') }} as with_date,
    count(ordered_at) as with_readable_date,
    min(ordered_at) as first_ordered_at,
    max(ordered_at) as last_ordered_at,
    max(case when ordered_at <= {{ now }} then ordered_at end) as last_known_at,
    sum(case when {{ seg_sql.is_usable('amount') }} then amount end) as amount
from (
    select
        case when {{ seg_sql.is_day('ordered_at') }} then ordered_at end as ordered_at,
        {% if input_has('order_lines', 'ordered_at') -%}
        has_ordered_at as has_date,
        {%- else -%}
        0 as has_date,
        {%- endif %}
        {% if input_has('order_lines', 'amount') -%}
        amount
        {%- else -%}
        {{ seg_sql.safe_product('quantity', 'unit_price') }} as amount
        {%- endif %}
    from {{ input('order_lines') }} as order_lines
) as priced
