-- Combinations of values that more than one row has.
select {{ combination_of_columns | join(', ') }}, count(*) as copies
from {{ model }} as tested
group by {{ combination_of_columns | join(', ') }}
having count(*) > 1
