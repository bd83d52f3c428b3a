-- The rows of a model{{ ', those of one slice' if slices > 1 }}.
select *
from {{ relation }} as relation
{%- if slices > 1 %}
where {{ seg_sql.slice_of(by, slices) }} = {{ number }}
{%- endif %}
