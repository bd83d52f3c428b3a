-- The clusters as they were assigned, for their quality.
-- Grain: group, cluster.
select
    group_key,
    cluster_id,
    count(*) as row_count,
    sum(distance * distance) as inertia,
    sum(distance) as distance,
    sum(silhouette) as silhouette
from {{ clusters }}
group by group_key, cluster_id
