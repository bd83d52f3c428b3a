-- What the customers of each cluster are like.
-- Grain: one row per cluster and feature, of clusters with at least min_group customers.
select cluster_id, feature, mean, population_mean, z_score
from {{ ref('customer_clusters_profile') }} as profile
where group_key = {{ seg_sql.param('group_key') }} and customers >= {{ min_group }}
order by cluster_id, {{ seg_sql.bin('feature') }}
