-- How many rows there are and have each feature, and between which values these lie.
-- Grain: group; one row without groups. NaN and infinity show as extremes. Of a table without groups
-- DuckDB knows all this without reading it.
select
    {% if by -%}
    {{ seg_sql.kmeans_group(by) }} as group_key,
    {% endif -%}
    {% for feature in features -%}
    count({{ feature }}) as known_{{ loop.index0 }},
    cast(min({{ feature }}) as {{ seg_sql.double() }}) as lowest_{{ loop.index0 }},
    cast(max({{ feature }}) as {{ seg_sql.double() }}) as highest_{{ loop.index0 }},
    {% endfor -%}
    {% for column in keys -%}
    count({{ column }}) as known_key_{{ loop.index0 }},
    {% endfor -%}
    {% if weight -%}
    cast(min({{ weight }}) as {{ seg_sql.double() }}) as least_weight,
    cast(max({{ weight }}) as {{ seg_sql.double() }}) as most_weight,
    {% endif -%}
    count(*) as row_count
from {{ relation }}
{% if by -%}
group by 1
order by {{ seg_sql.bin_text(seg_sql.kmeans_group(by)) }}
{% endif %}
