-- Where the two integrals of Pareto/NBD are taken: G at (x, t_x), H at (x, T).
-- Grain: fit, side, frequency, since; far fewer than customers.
select fit, 'g' as side, frequency, recency as since
from {{ counts }} as counts
group by fit, frequency, recency
union all
select fit, 'h' as side, frequency, age as since
from {{ counts }} as counts
group by fit, frequency, age
