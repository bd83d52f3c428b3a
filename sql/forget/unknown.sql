-- The ids that stand in none of the tables.
-- Grain: id.
select ids.customer_id
from {{ ids }} as ids
where 1 = 1
    {%- for table in tables %}
    {%- for column in table.columns %}
    and not exists (
        select 1
        from {{ table.relation }} as relation
        where cast(relation.{{ column }} as {{ seg_sql.text() }}) = ids.customer_id
    )
    {%- endfor %}
    {%- endfor %}
order by ids.customer_id
