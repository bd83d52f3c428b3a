-- The groups that are clustered each on their own.
-- Grain: group_key, the texts of the group columns; a missing one is '(none)'.
select
    {{ seg_sql.kmeans_group(columns) }} as group_key,
    count(*) as row_count
from {{ relation }}
group by 1
order by {{ seg_sql.bin_text(seg_sql.kmeans_group(columns)) }}
