-- Values that more than one row has.
select {{ column_name }}, count(*) as copies
from {{ model }} as tested
where {{ column_name }} is not null
group by {{ column_name }}
having count(*) > 1
