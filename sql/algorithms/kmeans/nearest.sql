-- The squared distances d0, d1 .. of each point to the centroids; which is the least, the first of
-- those equally near; how much that is, and the least of the others.
-- Grain: that of the points.
select
    {% for column in kept + ds -%}
    {{ column }},
    {% endfor -%}
    label,
    {{ seg_sql.kmeans_nearest(ds) }} as best,
    case label
        {% for d in ds -%}
        {{ 'else' if loop.last else 'when ' ~ loop.index0 ~ ' then' }} least({{ ds | reject('equalto', d) | join(', ') }})
        {% endfor -%}
    end as second_best
from (
    select
        {% for column in kept + ds -%}
        {{ column }},
        {% endfor -%}
        {{ seg_sql.kmeans_place_of_least(ds) }} as label
    from (
        select
            {% for column in kept -%}
            {{ column }},
            {% endfor -%}
            {% for centroid in centroids -%}
            {{ seg_sql.kmeans_squared(centroid) }} as {{ ds[loop.index0] }}{{ ',' if not loop.last }}
            {% endfor -%}
        from {{ points }} as points
        {{ seg_sql.fence() }}
    ) as distances
    {{ seg_sql.fence() }}
) as labelled
{{ seg_sql.fence() }}
