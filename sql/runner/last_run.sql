-- As of which day, and from which input, the tables were built last.
-- One row, or none. The record counts in whole seconds: of several runs the earliest as_of.
select runs.as_of, runs.input_fingerprint
from {{ runs }} as runs
inner join (
    select max(finished_at) as finished_at
    from {{ runs }} as built
    where status = 'success' and as_of is not null
) as latest on latest.finished_at = runs.finished_at
where runs.status = 'success' and runs.as_of is not null
order by runs.as_of, runs.input_fingerprint
limit 1
