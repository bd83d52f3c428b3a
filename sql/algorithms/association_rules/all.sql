-- The relation as it is, for a look at its columns.
-- Grain: that of the relation.
select *
from {{ relation }} as lines
