-- The model of buying that was chosen for each group.
-- Grain: group.
select group_key, model
from {{ fits }} as fits
where fit = 'full' and chosen and model <> 'gamma_gamma'
