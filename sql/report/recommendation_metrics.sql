-- How good the recommendations were for customers whose later purchases were held back, beside the
-- most popular items.
-- Grain: one row per metric and length of the list.
select metric, k, value, popularity_baseline, users
from {{ ref('recommendations_metrics') }} as metrics
where users >= {{ min_group }}
order by {{ seg_sql.bin('metric') }}, k
