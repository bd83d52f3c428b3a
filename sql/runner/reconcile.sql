-- The amounts behind the line at the end of a build.
select
    reason,
    action,
    {{ seg_sql.isum('line_count') }} as line_count,
    sum(amount) as amount
from (
    {%- if from_table %}
    select reason, action, rows as line_count, amount
    from {{ ref('input_quality') }} as input_quality
    where input = 'order_lines'
    {%- else %}
    select reason, action, 1 as line_count, amount
    from {{ ref('order_lines_checked') }} as order_lines_checked
    {%- endif %}
) as counted
group by reason, action
order by reason
