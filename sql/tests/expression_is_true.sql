-- Rows for which the expression is not true.
select {{ column_name or '1' }} as failing
from {{ model }} as tested
where not coalesce({{ (column_name ~ ' ') if column_name }}{{ expression }}, false)
