-- The points of a sample whose rows all weigh the same, with that weight, which is not stored.
-- Grain: point of the sample.
select
    {% for x in xs -%}
    {{ x }},
    {% endfor -%}
    {{ seg_sql.lit(1.0) }} as w,
    case when h % 2 = 0 then {{ seg_sql.lit(1.0) }} else {{ seg_sql.lit(0.0) }} end as half_w,
    h
from {{ points }}
