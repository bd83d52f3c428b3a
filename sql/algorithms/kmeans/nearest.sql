-- Each point's nearest and second nearest centroid, by exact squared distances.
-- Grain: that of the points. At equal distances the lowest number wins.
select
    {% for column in kept -%}
    {{ column }},
    {% endfor -%}
    label,
    best,
    second_best,
    case
        {% for centroid in centroids -%}
        when d{{ loop.index0 }} = second_best and label <> {{ loop.index0 }} then {{ loop.index0 }}
        {% endfor -%}
    end as second_label
from (
    select
        {% for column in kept -%}
        {{ column }},
        {% endfor -%}
        {% for centroid in centroids -%}
        d{{ loop.index0 }},
        {% endfor -%}
        label,
        best,
        least(
            {% for centroid in centroids -%}
            case when label <> {{ loop.index0 }} then d{{ loop.index0 }} end{{ ',' if not loop.last }}
            {% endfor -%}
        ) as second_best
    from (
        select
            {% for column in kept -%}
            {{ column }},
            {% endfor -%}
            {% for centroid in centroids -%}
            d{{ loop.index0 }},
            {% endfor -%}
            best,
            case
                {% for centroid in centroids[:-1] -%}
                when d{{ loop.index0 }} = best then {{ loop.index0 }}
                {% endfor -%}
                else {{ centroids | length - 1 }}
            end as label
        from (
            select
                {% for column in kept -%}
                {{ column }},
                {% endfor -%}
                {% for centroid in centroids -%}
                d{{ loop.index0 }},
                {% endfor -%}
                least(
                    {%- for centroid in centroids -%}
                    d{{ loop.index0 }}{{ ', ' if not loop.last }}
                    {%- endfor -%}
                ) as best
            from (
                select
                    {% for column in kept -%}
                    {{ column }},
                    {% endfor -%}
                    {% for centroid in centroids -%}
                    {{ seg_sql.kmeans_squared(centroid) }} as d{{ loop.index0 }}
                    {{- ',' if not loop.last }}
                    {% endfor -%}
                from {{ points }} as points
                {{ seg_sql.fence() }}
            ) as distances
            {{ seg_sql.fence() }}
        ) as closest
        {{ seg_sql.fence() }}
    ) as labelled
    {{ seg_sql.fence() }}
) as ranked
