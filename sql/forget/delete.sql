-- The rows that have one of the ids in one of the columns go.
delete from {{ relation }}
where
    {% for column in columns -%}
    cast({{ column }} as {{ seg_sql.text() }}) in (select customer_id from {{ ids }} as ids)
    {{- ' or' if not loop.last }}
    {% endfor -%}
