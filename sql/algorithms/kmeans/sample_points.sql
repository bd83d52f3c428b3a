-- The points of a hash sample, and their weight in its first half.
-- Grain: point of the sample.
select
    {% for x in xs -%}
    {{ x }},
    {% endfor -%}
    w,
    case when h % 2 = 0 then w else 0 end as half_w,
    h
from {{ points }}
