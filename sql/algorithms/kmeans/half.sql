-- One half of the points by their hash; equal points may be in both, each with its weight there.
-- Grain: point with a weight in the half.
select
    {% for x in xs -%}
    {{ x }},
    {% endfor -%}
    h,
    {{ 'half_w' if first else 'w - half_w' }} as w
from {{ points }} as points
where {{ 'half_w' if first else 'w - half_w' }} > 0
