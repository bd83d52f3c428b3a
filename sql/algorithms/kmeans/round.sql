-- One round of Lloyd's algorithm for each candidate: size and sums of its clusters.
-- Grain: candidate, cluster. d1, d2 .. are how much farther a point is from a centroid than from the
-- first, |c|^2 - |c0|^2 - 2 x.(c - c0); the centroids are literals (or columns beside the points of
-- groups), and at equal distances the lowest number wins.
{% for candidate in candidates -%}
{% set ds = [seg_sql.lit(0.0)] -%}
{% for centroid in candidate.others %}{% do ds.append('d' ~ loop.index) %}{% endfor -%}
select
    {{ candidate.number }} as candidate,
    label,
    count(*) as row_count,
    {{ 'sum(w)' if candidate.weighted else 'count(*)' }} as weight,
    {% for raw in raws -%}
    sum({{ 'w * ' if candidate.weighted }}{{ raw }}) as raw_{{ loop.index0 }},
    {% endfor -%}
    {% for x in xs -%}
    sum({{ 'w * ' if candidate.weighted }}{{ x }}) as sum_{{ loop.index0 }}{{ ',' if not loop.last }}
    {% endfor -%}
from (
    select
        {{ (candidate.by + xs + raws) | join(', ') }},
        {{ 'w,' if candidate.weighted }}
        {{ seg_sql.kmeans_place_of_least(ds) }} as label
    from (
        select
            {{ (candidate.by + xs + raws) | join(', ') }},
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
) as labelled
group by {{ (candidate.by + ['label']) | join(', ') }}
{{ 'union all' if not loop.last }}
{% endfor %}
