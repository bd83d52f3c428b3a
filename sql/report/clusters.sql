-- The clusters and their size; those too small to be shown are one, without an id.
-- Grain: one row per cluster.
with

clusters as (

    select distinct cluster_id, label, customers
    from {{ ref('customer_clusters_profile') }} as profile
    where group_key = {{ seg_sql.param('group_key') }} and customers > 0

),

judged as (

    select
        cluster_id,
        label,
        customers,
        {{ seg_sql.too_few('customers', 'cluster_id', min_group) }} as is_small
    from clusters

),

pooled as (

    select
        case when not is_small then cluster_id end as cluster_id,
        case when is_small then {{ seg_sql.lit(others) }} else label end as label,
        customers
    from judged

)

select cluster_id, label, {{ seg_sql.isum('customers') }} as customers
from pooled
group by cluster_id, label
order by cluster_id nulls last
