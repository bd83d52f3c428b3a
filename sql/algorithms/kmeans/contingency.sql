-- How two fits agree: the weight of the points by their clusters in the one and in the other.
-- Grain: pair of fits, cluster of the first, cluster of the second.
{% for pair in pairs -%}
select
    {{ loop.index0 }} as pair,
    first_label,
    second_label,
    sum(w) as weight
from (
    select
        w,
        {% for label, part in [('first_label', pair.first), ('second_label', pair.second)] -%}
        case
            {% for square in part[:-1] -%}
            when {{ square }} = {{ label }}_best then {{ loop.index0 }}
            {% endfor -%}
            else {{ part | length - 1 }}
        end as {{ label }}{{ ',' if not loop.last }}
        {% endfor -%}
    from (
        select
            w,
            {% for column in pair.columns -%}
            {{ column.name }},
            {% endfor -%}
            least({{ pair.first | join(', ') }}) as first_label_best,
            least({{ pair.second | join(', ') }}) as second_label_best
        from (
            select
                {% for column in pair.columns -%}
                {{ seg_sql.kmeans_squared(column.centroid) }} as {{ column.name }},
                {% endfor -%}
                w
            from {{ points }} as points
            {{ seg_sql.fence() }}
        ) as distances
        {{ seg_sql.fence() }}
    ) as closest
    {{ seg_sql.fence() }}
) as labelled
group by first_label, second_label
{{ 'union all' if not loop.last }}
{% endfor %}
