-- The clusters of each candidate as they are in the end, for the quality and the profile.
-- Grain: candidate, cluster. The silhouette is the simplified one, of distances to centroids.
{% for candidate in candidates -%}
select
    {{ candidate.number }} as candidate,
    label,
    count(*) as row_count,
    sum(w) as weight,
    sum(w * best) as inertia,
    sum(w * sqrt(best)) as distance,
    sum(w * case
        when second_best > 0 then 1 - sqrt(best / second_best) else 0
    end) as silhouette,
    {% for column in raws -%}
    sum(w * {{ column }}) as raw_{{ loop.index0 }},
    {% endfor -%}
    {% for x in xs -%}
    sum(w * {{ x }}) as sum_{{ loop.index0 }}{{ ',' if not loop.last }}
    {% endfor -%}
from (
    {{ candidate.nearest | indent(4) }}
) as nearest
group by {{ (candidate.by + ['label']) | join(', ') }}
{{ 'union all' if not loop.last }}
{% endfor %}
