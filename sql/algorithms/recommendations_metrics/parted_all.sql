-- All order lines, read once.
-- Grain: order line.
select *
from {{ relation }} as lines
