-- The columns of seg_sql_runs, without a row.
select
    cast(null as {{ seg_sql.text() }}) as run_id,
    cast(null as {{ seg_sql.text() }}) as model,
    cast(null as {{ seg_sql.text() }}) as status,
    cast(null as bigint) as rows,
    cast(null as {{ seg_sql.double() }}) as seconds,
    cast(null as timestamp) as started_at,
    cast(null as timestamp) as finished_at,
    cast(null as date) as as_of,
    cast(null as {{ seg_sql.text() }}) as input_fingerprint
where 1 = 0
