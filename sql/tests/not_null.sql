-- Rows in which the column has no value.
select {{ column_name }}
from {{ model }} as tested
where {{ column_name }} is null
