-- Published parameters of the fits to all data.
-- Grain: group, model, parameter.
select group_key, model, parameter, estimate
from {{ published }} as parameters
where fit = 'full'
