select max(fitted_as_of) as fitted_as_of
from {{ relation }} as published
