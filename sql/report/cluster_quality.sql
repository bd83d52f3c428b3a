-- How well each number of clusters fits.
-- Grain: one row per number of clusters.
select
    k,
    inertia,
    silhouette,
    davies_bouldin,
    stability_ari,
    chosen,
    chosen_reason
from {{ ref('customer_clusters_quality') }} as quality
where group_key = {{ seg_sql.param('group_key') }}
order by k
