-- What was left out, and why.
-- Grain: reason.
{%- for each in reasons %}
{{ 'union all' if not loop.first }}
select {{ seg_sql.lit(each.reason) }} as reason, cast({{ each.row_count }} as bigint) as rows
{%- else %}
select cast(null as {{ seg_sql.text() }}) as reason, cast(null as bigint) as rows
where 1 = 0
{%- endfor %}
