-- How many rows have one of the ids in one of the columns.
select count(*) as row_count
from {{ relation }} as relation
where
    {% for column in columns -%}
    cast({{ column }} as {{ seg_sql.text() }}) in (select customer_id from {{ ids }} as ids)
    {{- ' or' if not loop.last }}
    {% endfor -%}
