-- A fit as it was published: the features and the centroids, for scoring and for a refit.
-- Grain: group, cluster, feature.
select
    centroids.group_key,
    centroids.cluster_id,
    centroids.feature,
    centroids.scaled_value,
    centroids.value,
    features.transform,
    features.fill_value,
    features.lower_bound,
    features.upper_bound,
    features.center,
    features.scale
from {{ centroids }} as centroids
join {{ features }} as features
    on features.group_key = centroids.group_key
    and features.feature = centroids.feature
order by
    {{ seg_sql.bin_text("centroids.group_key") }},
    centroids.cluster_id,
    {{ seg_sql.bin_text("centroids.feature") }}
