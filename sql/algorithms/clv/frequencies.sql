-- How many customers of known value have each x.
-- Grain: fit, x.
select fit, x, cast(count(*) as {{ seg_sql.double() }}) as customers
from {{ values_ }} as spent
group by fit, x
