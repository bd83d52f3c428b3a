-- The clusters as they were assigned, for their quality.
-- Grain: group, cluster. The key of an only group is given: to group by it takes half of the time.
select
    {{ only or 'group_key' }} as group_key,
    cluster_id,
    count(*) as row_count,
    sum(distance * distance) as inertia,
    sum(distance) as distance,
    sum(silhouette) as silhouette
from {{ clusters }}
group by {{ 'group_key, ' if not only }}cluster_id
