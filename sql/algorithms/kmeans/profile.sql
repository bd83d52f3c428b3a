-- What the features look like before anything is done to them, and how the transformed ones spread.
-- One row. NaN and infinity show as extremes; the transform is not taken of them, nor of values
-- whose square no double holds.
select
    count(*) as row_count,
    {% for feature in features -%}
    count(raw{{ loop.index0 }}) as known_{{ loop.index0 }},
    cast(min(raw{{ loop.index0 }}) as {{ seg_sql.double() }}) as lowest_{{ loop.index0 }},
    cast(max(raw{{ loop.index0 }}) as {{ seg_sql.double() }}) as highest_{{ loop.index0 }},
    sum(x{{ loop.index0 }}) as sum_{{ loop.index0 }},
    sum(x{{ loop.index0 }} * x{{ loop.index0 }}) as squared_{{ loop.index0 }},
    {% endfor -%}
    {% for column in keys -%}
    count(key{{ loop.index0 }}) as known_key_{{ loop.index0 }},
    {% endfor -%}
    cast(min(w) as {{ seg_sql.double() }}) as least_weight,
    cast(max(w) as {{ seg_sql.double() }}) as most_weight
from (
    select
        {% for feature in features -%}
        {{ feature.column }} as raw{{ loop.index0 }},
        case
            when abs(cast({{ feature.column }} as {{ seg_sql.double() }})) < {{ seg_sql.lit(1e100) }}
                then {{ seg_sql.kmeans_value(feature) }}
        end as x{{ loop.index0 }},
        {% endfor -%}
        {% for column in keys -%}
        {{ column }} as key{{ loop.index0 }},
        {% endfor -%}
        {{ weight or 1 }} as w
    from {{ relation }}
    {{ seg_sql.fence() }}
) as transformed
