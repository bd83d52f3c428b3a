-- Where an integral of Pareto/NBD is taken: G at (x, t_x), since the last purchase; H at (x, T).
-- Grain: fit, frequency, since; far fewer than customers.
select fit, frequency, {{ since }} as since
from {{ counts }} as counts
group by fit, frequency, {{ since }}
