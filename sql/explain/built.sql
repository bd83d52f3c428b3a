-- What the order lines were when the orders were last built.
-- At most one row.
select input_fingerprint, finished_at
from (
    select
        input_fingerprint,
        finished_at,
        row_number() over (order by finished_at desc nulls last, run_id) as place
    from {{ runs }} as runs
    where model = 'orders' and status = 'success'
) as builds
where place = 1
