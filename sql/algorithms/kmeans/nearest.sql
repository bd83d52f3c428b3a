-- The squared distances d0, d1 .. of each point to the centroids; the least, and the second least:
-- the least of each one's distance or the least before it, whichever is more.
-- Grain: that of the points.
select
    {% for column in kept -%}
    {{ column }},
    {% endfor -%}
    {% for d in ds -%}
    {{ d }},
    {% endfor -%}
    least({{ ds | join(', ') }}) as best,
    least(
        {% for d in ds[1:] -%}
        greatest({{ 'least(' ~ ds[: loop.index] | join(', ') ~ ')' if not loop.first else ds[0] }}, {{ d }})
        {{- ',' if not loop.last }}
        {% endfor -%}
    ) as second_best
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
