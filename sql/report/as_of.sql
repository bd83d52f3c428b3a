-- The first day that was not read.
select max(as_of) as as_of
from {{ ref(model) }} as built
