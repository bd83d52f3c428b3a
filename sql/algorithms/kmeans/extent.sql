-- How many points there are, their weight, and how far they spread around 0.
-- One row; distinct_rows is exact, and asked of samples only.
select
    count(*) as row_count,
    cast(sum(w) as {{ seg_sql.double() }}) as weight,
    {% if count_distinct -%}
    (
        select count(*)
        from (select distinct {{ xs | join(', ') }} from {{ points }} as points) as distinct_points
    ) as distinct_rows,
    {% endif -%}
    {% for x in xs -%}
    sum(w * {{ x }} * {{ x }}) as squared_{{ loop.index0 }}{{ ',' if not loop.last }}
    {% endfor -%}
from {{ points }} as points
