-- The number of rows, where it is outside the range.
select row_count
from (select count(*) as row_count from {{ model }} as tested) as counted
where
    1 = 0
    {%- if min_value is not none %}
    or row_count < {{ min_value }}
    {%- endif %}
    {%- if max_value is not none %}
    or row_count > {{ max_value }}
    {%- endif %}
