-- Start centroids that the user gives, in the features' own units.
-- Grain: group if there are any, cluster, feature.
select
    {{ 'group_key' if grouped else "'all'" }} as group_key,
    cluster_id,
    feature,
    cast(value as {{ seg_sql.double() }}) as value
from {{ relation }}
order by cluster_id
