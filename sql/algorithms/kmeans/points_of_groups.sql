-- The points of several groups, to be moved in the same rounds.
-- Grain: point of a group; `place` is the number of its group.
{% for source in sources -%}
select
    {{ loop.index0 }} as place,
    {% for x in xs -%}
    {{ x }},
    {% endfor -%}
    w,
    half_w
from {{ source }} as points
{{ 'union all' if not loop.last }}
{% endfor %}
