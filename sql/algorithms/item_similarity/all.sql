-- All columns of the order lines.
select *
from {{ relation }} as lines
