-- The sum of the column, where it is further from the value than the tolerance (relative).
select total, expected
from (
    select
        (select sum({{ column_name }}) from {{ model }} as tested) as total,
        ({{ value }}) as expected
) as compared
where
    total is null
    or expected is null
    or abs(total - expected) > {{ seg_sql.lit(tolerance) }} * greatest(abs(expected), 1)
