-- How many candidates are left of a level.
-- Grain: one row.
select count(*) as candidates
from {{ candidates }} as candidates
