-- The rows as points: the prepared features x0, x1 .. less their centers, and the weight w.
-- Grain: row of the relation that takes part. h draws among the rows of a sample.
select
    {% for column in kept -%}
    {{ column }},
    {% endfor -%}
    {% for feature in features -%}
    {% if scaled -%}
    ({{ seg_sql.kmeans_value(feature) }} - {{ feature.center }}) / {{ feature.scale }}
    {%- else -%}
    {{ seg_sql.kmeans_value(feature) }} - {{ feature.center }}
    {%- endif %} as x{{ loop.index0 }},
    {% endfor -%}
    {% if raw -%}
    {% for feature in features -%}
    {{ seg_sql.kmeans_clipped(feature) }} as raw{{ loop.index0 }},
    {% endfor -%}
    {% endif -%}
    {% if lot -%}
    {{ seg_sql.kmeans_hash(lot) }} as h,
    {% endif -%}
    {{ weight }} as w
from {{ relation }}
{% for condition in conditions -%}
{{ 'where' if loop.first else '    and' }} {{ condition }}
{% endfor -%}
{{ seg_sql.fence() }}
