-- One round of Lloyd's algorithm for the candidates of many groups: size and sums of their clusters.
-- Grain: candidate, cluster. The distances are those of `round`; what are literals there are columns
-- of the candidates here, so that one short statement serves them all.
{% set ds = [seg_sql.lit(0.0)] -%}
{% for other in others %}{% do ds.append('d' ~ other) %}{% endfor -%}
select
    candidate,
    label,
    count(*) as row_count,
    sum(w) as weight,
    {% for x in xs -%}
    sum(w * {{ x }}) as sum_{{ loop.index0 }}{{ ',' if not loop.last }}
    {% endfor -%}
from (
    select
        candidate,
        {{ xs | join(', ') }},
        w,
        {{ seg_sql.kmeans_place_of_least(ds) }} as label
    from (
        select
            candidates.candidate,
            {% for x in xs -%}
            points.{{ x }},
            {% endfor -%}
            candidates.share * points.w + candidates.half_share * points.half_w as w,
            {% for other in others -%}
            candidates.square_{{ other }}
            {%- for x in xs %} - candidates.twice_{{ other }}_{{ loop.index0 }} * points.{{ x }}{% endfor %}
                as d{{ other }}{{ ',' if not loop.last }}
            {% endfor -%}
        from {{ points }} as points
        join (
            {{ candidates | indent(12) }}
        ) as candidates
            on candidates.place = points.place
        {{ seg_sql.fence() }}
    ) as distances
    where w > 0
    {{ seg_sql.fence() }}
) as labelled
group by candidate, label
