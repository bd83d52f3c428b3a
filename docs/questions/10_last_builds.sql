-- How fresh is each table, and did its last build go well?
-- One row per model: the last run that touched it.
with

numbered as (

    select
        model,
        status,
        rows,
        as_of,
        finished_at,
        seconds,
        row_number() over (partition by model order by started_at desc, run_id desc) as place
    from seg_sql_runs

)

select
    model,
    status,
    rows,
    as_of,
    finished_at,
    round(cast(seconds as numeric(30, 6)), 2) as seconds
from numbered
where place = 1
order by status, model
