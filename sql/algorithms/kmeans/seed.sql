-- Rows drawn as possible centroids, by a race: with the uniform number u of its hash a row takes
-- -ln(u) / (w d2), d2 being its squared distance to the nearest row drawn before (or 1). The first
-- at the goal are a draw in proportion to w d2. Rows equal to one drawn before never arrive.
-- Grain: candidate, row drawn, in the order of their arrival.
select candidate, {{ xs | join(', ') }}
from (
    select
        candidate,
        {{ xs | join(', ') }},
        row_number() over (
            partition by candidate
            order by finish, {{ xs | join(', ') }}
        ) as arrival
    from (
        {% for candidate in candidates -%}
        select
            {{ candidate.number }} as candidate,
            {{ xs | join(', ') }},
            -ln(cast((cast(h as bigint) * {{ factor }} + {{ offset }}) % 2147483647 + 1 as {{ seg_sql.double() }})
                / {{ seg_sql.lit(2147483648.0) }})
                / nullif(w * d2, 0) as finish
        from (
            select
                {{ (candidate.by + xs) | join(', ') }},
                w,
                h,
                {% for centroid in candidate.far -%}
                {{ 'least(' if loop.first }}{{ seg_sql.kmeans_squared(centroid) }}
                {{- ',' if not loop.last else ') as d2' }}
                {% else -%}
                {{ seg_sql.lit(1.0) }} as d2
                {% endfor -%}
            from {{ candidate.points }} as points
            {{ 'where h < ' ~ candidate.hash_below if candidate.hash_below }}
            {{ seg_sql.fence() }}
        ) as apart
        {{ 'union all' if not loop.last }}
        {% endfor -%}
    ) as runners
    where finish is not null
) as arrived
where arrival <= {{ limit }}
order by candidate, arrival
