-- One round of Lloyd's algorithm for each candidate: size, sums and inertia of its clusters.
-- Grain: candidate, cluster. A distance is |c|^2 - 2 x.c, to which |x|^2 is added later; the
-- centroids are literals, and at equal distances the lowest number wins.
{% for candidate in candidates -%}
select
    {{ loop.index0 }} as candidate,
    label,
    count(*) as row_count,
    {{ 'sum(w)' if candidate.weighted else 'count(*)' }} as weight,
    sum({{ 'w * ' if candidate.weighted }}best) as inertia,
    {% for raw in raws -%}
    sum({{ 'w * ' if candidate.weighted }}{{ raw }}) as raw_{{ loop.index0 }},
    {% endfor -%}
    {% for x in xs -%}
    sum({{ 'w * ' if candidate.weighted }}{{ x }}) as sum_{{ loop.index0 }}{{ ',' if not loop.last }}
    {% endfor -%}
from (
    select
        {{ (xs + raws) | join(', ') }},
        {{ 'w,' if candidate.weighted }}
        best,
        case
            {% for centroid in candidate.centroids[:-1] -%}
            when d{{ loop.index0 }} = best then {{ loop.index0 }}
            {% endfor -%}
            else {{ candidate.centroids | length - 1 }}
        end as label
    from (
        select
            {{ (xs + raws) | join(', ') }},
            {{ 'w,' if candidate.weighted }}
            {% for centroid in candidate.centroids -%}
            d{{ loop.index0 }},
            {% endfor -%}
            least(
                {%- for centroid in candidate.centroids -%}
                d{{ loop.index0 }}{{ ', ' if not loop.last }}
                {%- endfor -%}
            ) as best
        from (
            select
                {{ (xs + raws) | join(', ') }},
                {{ 'w,' if candidate.weighted }}
                {% for centroid in candidate.centroids -%}
                {{ centroid.square }}
                {%- for twice in centroid.twice %} - {{ twice }} * x{{ loop.index0 }}{% endfor %}
                    as d{{ loop.index0 }}{{ ',' if not loop.last }}
                {% endfor -%}
            from {{ candidate.points }} as points
            {{ seg_sql.fence() }}
        ) as distances
        {{ seg_sql.fence() }}
    ) as nearest
) as labelled
group by label
{{ 'union all' if not loop.last }}
{% endfor %}
