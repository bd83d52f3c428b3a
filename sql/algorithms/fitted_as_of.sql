-- The day that a published fit is from.
-- One row.
select max(fitted_as_of) as fitted_as_of
from {{ clusters }}
