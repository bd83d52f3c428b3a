-- The options of the last run that fitted a model, and did not score with a fit that was kept.
-- The number of a run begins with its second; of several in one second any may be the last.
select fits.parameter, fits.value
from {{ records }} as fits
where fits.model = {{ seg_sql.lit(model) }}
    and exists (
        select 1 as one
        from {{ records }} as runs
        where runs.run_id = fits.run_id
            and runs.model = {{ seg_sql.lit(model) }}
            and runs.parameter = {{ seg_sql.lit(fit) }}
            and runs.value = {{ seg_sql.lit(new) }}
            and substring(runs.run_id, 1, 15) = (
                select max({{ seg_sql.bin('substring(last_runs.run_id, 1, 15)') }}) as started_at
                from {{ records }} as last_runs
                where last_runs.model = {{ seg_sql.lit(model) }}
                    and last_runs.parameter = {{ seg_sql.lit(fit) }}
                    and last_runs.value = {{ seg_sql.lit(new) }}
            )
    )
