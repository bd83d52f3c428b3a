-- The groups, each of which gets a model of its own.
-- Grain: group.
select {{ seg_sql.kmeans_group(columns) }} as group_key
from {{ relation }} as summary
where {{ condition }}
group by {{ seg_sql.kmeans_group(columns) }}
order by {{ seg_sql.bin(seg_sql.kmeans_group(columns)) }}
