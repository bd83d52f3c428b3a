-- Every as_of of the history.
select distinct as_of
from {{ ref('segment_cut_points') }} as segment_cut_points
order by as_of
