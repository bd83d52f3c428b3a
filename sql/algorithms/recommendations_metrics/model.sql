-- The published table.
-- Grain: metric and k.
{%- for row in rows %}
{{ 'union all' if not loop.first }}
select
    {{ seg_sql.lit(row.metric) }} as metric,
    {{ row.k }} as k,
    cast({{ seg_sql.lit(row.value) }} as {{ seg_sql.double() }}) as value,
    cast({{ seg_sql.lit(row.baseline) }} as {{ seg_sql.double() }}) as popularity_baseline,
    cast({{ row.users }} as bigint) as users
{%- else %}
select
    cast(null as {{ seg_sql.text() }}) as metric,
    cast(null as integer) as k,
    cast(null as {{ seg_sql.double() }}) as value,
    cast(null as {{ seg_sql.double() }}) as popularity_baseline,
    cast(null as bigint) as users
where 1 = 0
{%- endfor %}
