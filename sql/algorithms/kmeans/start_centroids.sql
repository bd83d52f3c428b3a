-- Start centroids that the user gives, in the features' own units.
-- Grain: cluster, feature.
select
    cluster_id,
    feature,
    cast(value as {{ seg_sql.double() }}) as value
from {{ relation }}
{% if group_key -%}
where group_key = {{ group_key }}
{% endif -%}
order by cluster_id
