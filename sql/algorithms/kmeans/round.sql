-- One round of Lloyd's algorithm for each candidate: size, sums and inertia of its clusters.
-- Grain: candidate, cluster. d1, d2 .. are how much farther a point is from a centroid than from the
-- first, |c|^2 - |c0|^2 - 2 x.(c - c0), and the inertia is relative to it; the centroids are literals,
-- and at equal distances the lowest number wins.
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
            when best = 0 then 0
            {% for centroid in candidate.others[:-1] -%}
            when d{{ loop.index }} = best then {{ loop.index }}
            {% endfor -%}
            else {{ candidate.others | length }}
        end as label
    from (
        select
            {{ (xs + raws) | join(', ') }},
            {{ 'w,' if candidate.weighted }}
            {% for centroid in candidate.others -%}
            d{{ loop.index }},
            {% endfor -%}
            least({{ seg_sql.lit(0.0) }}
                {%- for centroid in candidate.others %}, d{{ loop.index }}{% endfor -%}
            ) as best
        from (
            select
                {{ (xs + raws) | join(', ') }},
                {{ 'w,' if candidate.weighted }}
                {% for centroid in candidate.others -%}
                {{ centroid.square }}
                {%- for twice in centroid.twice %} - {{ twice }} * x{{ loop.index0 }}{% endfor %}
                    as d{{ loop.index }}{{ ',' if not loop.last }}
                {% endfor -%}
            from {{ candidate.points }} as points
            {{ seg_sql.fence() }}
        ) as distances
        {{ seg_sql.fence() }}
    ) as nearest
    {{ seg_sql.fence() }}
) as labelled
group by label
{{ 'union all' if not loop.last }}
{% endfor %}
