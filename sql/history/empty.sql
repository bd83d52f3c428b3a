-- A table of the history before its first rows: the columns and types of its model.
select {{ columns | join(', ') }}
from (
{{ rows }}
) as new_rows
where 1 = 0
