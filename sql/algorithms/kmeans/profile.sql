-- How many rows there are and have each feature, and between which values these lie.
-- One row. NaN and infinity show as extremes. Of a table DuckDB knows all this without reading it.
select
    {% for feature in features -%}
    count({{ feature.column }}) as known_{{ loop.index0 }},
    cast(min({{ feature.column }}) as {{ seg_sql.double() }}) as lowest_{{ loop.index0 }},
    cast(max({{ feature.column }}) as {{ seg_sql.double() }}) as highest_{{ loop.index0 }},
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
