-- Equal points once, with the weight of all of them and of those in the first hash half.
-- Grain: point. The hash h is its place in the order of the points, mixed.
select
    {% for x in xs -%}
    {{ x }},
    {% endfor -%}
    w,
    half_w,
    {{ seg_sql.kmeans_hash(seg_sql.kmeans_lot('row_number() over (order by ' ~ xs | join(', ') ~ ')', seed, true)) }} as h
from (
    select
        {% for x in xs -%}
        {{ x }},
        {% endfor -%}
        cast(sum(w) as {{ seg_sql.double() }}) as w,
        cast(sum(case when h % 2 = 0 then w else 0 end) as {{ seg_sql.double() }}) as half_w
    from {{ points }}
    group by {{ xs | join(', ') }}
) as grouped
