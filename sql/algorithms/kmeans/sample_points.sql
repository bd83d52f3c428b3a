-- The points of a hash sample and, if rows have weights, theirs in all and in its first half.
-- Grain: point of the sample.
select
    {% for column in columns -%}
    {{ column }},
    {% endfor -%}
    {% if weighted -%}
    w,
    case when h % 2 = 0 then w else 0 end as half_w,
    {% endif -%}
    cast(h as integer) as h
from {{ points }}
