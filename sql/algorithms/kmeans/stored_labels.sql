-- The labels of published clusters, and when they were fitted.
-- Grain: group, cluster.
select distinct
    group_key,
    cluster_id,
    label
from {{ profile }}
