-- Which cluster each row is in: that of the nearest centroid.
-- Grain: row of the relation. A silhouette near 1 is well inside its cluster, near 0 between two.
{% for group in groups -%}
(
    select
        {% for inner, column in keys.items() -%}
        {{ inner }} as {{ column }},
        {% endfor -%}
        cast({{ as_of }} as date) as as_of,
        {{ group.key }} as group_key,
        {{ seg_sql.kmeans_nearest(group.ids) }} as cluster_id,
        {{ seg_sql.kmeans_nearest(group.labels) }} as cluster_label,
        sqrt(best) as distance,
        {{ seg_sql.kmeans_second_nearest(group.ids) }} as second_cluster_id,
        case
            when second_best > 0 then 1 - sqrt(best / second_best) else 0
        end as silhouette,
        cast({{ fitted_as_of }} as date) as fitted_as_of
    from (
        {{ group.nearest | indent(8) }}
    ) as nearest
)
{{ 'union all' if not loop.last }}
{% endfor %}
