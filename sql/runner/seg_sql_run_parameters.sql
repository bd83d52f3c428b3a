-- The columns of seg_sql_run_parameters, without a row.
select
    cast(null as {{ seg_sql.text() }}) as run_id,
    cast(null as {{ seg_sql.text() }}) as model,
    cast(null as {{ seg_sql.text() }}) as parameter,
    cast(null as {{ seg_sql.text() }}) as value
where 1 = 0
