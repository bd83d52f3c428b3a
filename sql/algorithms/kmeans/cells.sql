-- What lies around each drawn row: the weight and sums of the points nearest to it.
-- Grain: candidate, drawn row. The same of the first hash half, with half_w in the place of w.
{% for candidate in candidates -%}
{% set kept = candidate.by + xs + ['w', 'half_w'] -%}
{% set ds = [] -%}
{% for centroid in candidate.centroids %}{% do ds.append('d' ~ loop.index0) %}{% endfor -%}
select
    {{ candidate.number }} as candidate,
    label,
    sum(w) as weight,
    sum(half_w) as half_weight,
    {% for x in xs -%}
    sum(w * {{ x }}) as sum_{{ loop.index0 }},
    sum(half_w * {{ x }}) as half_sum_{{ loop.index0 }}{{ ',' if not loop.last }}
    {% endfor -%}
from (
    select
        {{ kept | join(', ') }},
        case
            {% for d in ds[:-1] -%}
            when {{ d }} = best then {{ loop.index0 }}
            {% endfor -%}
            else {{ ds | length - 1 }}
        end as label
    from (
        select
            {{ (kept + ds) | join(', ') }},
            least({{ ds | join(', ') }}) as best
        from (
            select
                {{ kept | join(', ') }},
                {% for centroid in candidate.centroids -%}
                {{ centroid.square }}
                {%- for twice in centroid.twice %} - {{ twice }} * x{{ loop.index0 }}{% endfor %}
                    as d{{ loop.index0 }}{{ ',' if not loop.last }}
                {% endfor -%}
            from {{ candidate.points }} as points
            {{ 'where h < ' ~ candidate.hash_below if candidate.hash_below }}
            {{ seg_sql.fence() }}
        ) as distances
        {{ seg_sql.fence() }}
    ) as nearest
    {{ seg_sql.fence() }}
) as labelled
group by {{ (candidate.by + ['label']) | join(', ') }}
{{ 'union all' if not loop.last }}
{% endfor %}
