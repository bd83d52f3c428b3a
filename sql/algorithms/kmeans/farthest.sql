-- The points farthest from their centroid, which take the place of empty clusters.
-- As many as clusters are empty; at equal distances the order of the coordinates decides.
select {{ xs | join(', ') }}
from (
    select
        {{ xs | join(', ') }},
        w,
        least(
            {% for centroid in centroids -%}
            {{ seg_sql.kmeans_squared(centroid) }}{{ ',' if not loop.last }}
            {% endfor -%}
        ) as best
    from (
        select
            {% for x in xs -%}
            {{ x }} / {{ scales[loop.index0] }} as {{ x }},
            {% endfor -%}
            w
        from {{ points }} as points
        {{ seg_sql.fence() }}
    ) as scaled_points
    {{ seg_sql.fence() }}
) as distances
where best > 0 and w > 0
order by best desc nulls last, {{ xs | join(', ') }}
limit {{ limit }}
