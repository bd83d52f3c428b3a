-- How two fits agree: the weight of the points by their clusters in the one and in the other.
-- Grain: candidate (a pair of fits), cluster of the first, cluster of the second.
{% for candidate in candidates -%}
{% set kept = candidate.by + ['w'] -%}
{% set first, second = [], [] -%}
{% for centroid in candidate.first %}{% do first.append('a' ~ loop.index0) %}{% endfor -%}
{% for centroid in candidate.second %}{% do second.append('b' ~ loop.index0) %}{% endfor -%}
select
    {{ candidate.number }} as candidate,
    first_label,
    second_label,
    sum(w) as weight
from (
    select
        {{ kept | join(', ') }},
        {{ seg_sql.kmeans_place_of_least(first) }} as first_label,
        {{ seg_sql.kmeans_place_of_least(second) }} as second_label
    from (
        select
            {{ kept | join(', ') }},
            {% for centroid in candidate.first + candidate.second -%}
            {{ seg_sql.kmeans_squared(centroid) }} as {{ (first + second)[loop.index0] }}{{ ',' if not loop.last }}
            {% endfor -%}
        from {{ candidate.points }} as points
        {{ seg_sql.fence() }}
    ) as distances
    {{ seg_sql.fence() }}
) as labelled
group by {{ (candidate.by + ['first_label', 'second_label']) | join(', ') }}
{{ 'union all' if not loop.last }}
{% endfor %}
