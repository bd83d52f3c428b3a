-- The rows of one group.
-- Grain: that of the relation.
select *
from {{ relation }}
where {{ seg_sql.kmeans_group(columns) }} = {{ group_key }}
