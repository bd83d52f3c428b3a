-- The squared distances d0, d1 .. of each point to the centroids; which is the least, the first of
-- those equally near; and the least of the others.
-- Grain: that of the points.
select
    {% for column in kept + ds -%}
    {{ column }},
    {% endfor -%}
    best,
    case
        {% for d in ds[:-1] -%}
        when {{ d }} = best then {{ loop.index0 }}
        {% endfor -%}
        else {{ ds | length - 1 }}
    end as label,
    case
        {% for d in ds -%}
        {{ 'else' if loop.last else 'when ' ~ d ~ ' = best then' }} least({{ ds | reject('equalto', d) | join(', ') }})
        {% endfor -%}
    end as second_best
from (
    select
        {% for column in kept + ds -%}
        {{ column }},
        {% endfor -%}
        least({{ ds | join(', ') }}) as best
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
) as closest
{{ seg_sql.fence() }}
