-- What lies around each drawn row: the weight and sums of the points nearest to it.
-- Grain: drawn row. The same of the first hash half, with half_w in the place of w.
select
    label,
    sum(w) as weight,
    sum(half_w) as half_weight,
    {% for x in xs -%}
    sum(w * {{ x }}) as sum_{{ loop.index0 }},
    sum(half_w * {{ x }}) as half_sum_{{ loop.index0 }}{{ ',' if not loop.last }}
    {% endfor -%}
from (
    select
        {{ xs | join(', ') }},
        w,
        half_w,
        case
            {% for centroid in centroids[:-1] -%}
            when d{{ loop.index0 }} = best then {{ loop.index0 }}
            {% endfor -%}
            else {{ centroids | length - 1 }}
        end as label
    from (
        select
            {{ xs | join(', ') }},
            w,
            half_w,
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
                {{ xs | join(', ') }},
                w,
                half_w,
                {% for centroid in centroids -%}
                {{ centroid.square }}
                {%- for twice in centroid.twice %} - {{ twice }} * x{{ loop.index0 }}{% endfor %}
                    as d{{ loop.index0 }}{{ ',' if not loop.last }}
                {% endfor -%}
            from {{ points }} as points
            {{ 'where h < ' ~ hash_below if hash_below }}
            {{ seg_sql.fence() }}
        ) as distances
        {{ seg_sql.fence() }}
    ) as nearest
    {{ seg_sql.fence() }}
) as labelled
group by label
