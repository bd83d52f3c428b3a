-- How many scores each measure of the published cut points has.
select measure, cast(max(score) as integer) as bins
from {{ relation }} as published
group by measure
