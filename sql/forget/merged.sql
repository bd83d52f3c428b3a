-- The ids that stand for another customer by now, who is not to be forgotten.
select
    cast(merges.customer_id as {{ seg_sql.text() }}) as customer_id,
    cast(merges.surviving_id as {{ seg_sql.text() }}) as surviving_id
from {{ merges }} as merges
where
    cast(merges.customer_id as {{ seg_sql.text() }}) in (select customer_id from {{ ids }} as ids)
    and cast(merges.surviving_id as {{ seg_sql.text() }})
        not in (select customer_id from {{ ids }} as ids)
order by 1
limit 5
