-- A customer's cluster, and the one that is second nearest.
-- Grain: feature of the cluster; no row when the customer is in no cluster.
select
    clusters.as_of,
    clusters.cluster_id,
    clusters.cluster_label,
    clusters.distance,
    clusters.silhouette,
    clusters.second_cluster_id,
    second_clusters.label as second_label,
    profile.customers,
    profile.feature,
    profile.mean,
    profile.population_mean
from {{ ref('customer_clusters') }} as clusters
join {{ ref('customer_clusters_profile') }} as profile
    on profile.group_key = clusters.group_key
    and profile.cluster_id = clusters.cluster_id
left join {{ ref('customer_clusters_profile') }} as second_clusters
    on second_clusters.group_key = clusters.group_key
    and second_clusters.cluster_id = clusters.second_cluster_id
    and second_clusters.feature = profile.feature
where cast(clusters.customer_id as {{ seg_sql.text() }}) = {{ seg_sql.param('customer') }}
order by {{ seg_sql.bin_text("profile.feature") }}
