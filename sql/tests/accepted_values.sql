-- Values that are not among the accepted ones; NULL is not a value.
select {{ column_name }}, count(*) as copies
from {{ model }} as tested
where {{ column_name }} not in (
    {%- for value in values %}{{ seg_sql.lit(value) }}{{ ', ' if not loop.last }}{% endfor -%}
)
group by {{ column_name }}
