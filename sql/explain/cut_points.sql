-- Where the scores begin and end.
select measure, score, lower_bound, upper_bound
from {{ ref('rfm_cut_points') }} as rfm_cut_points
