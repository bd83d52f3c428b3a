-- The course of the fit with the chosen number of clusters; restarts from 100 on are those that the
-- stability is from.
-- Grain: one row per stage, restart and iteration, the first 400.
select fit.stage, fit.restart, fit.iteration, fit.inertia
from {{ ref('customer_clusters_fit') }} as fit
inner join {{ ref('customer_clusters_quality') }} as quality
    on quality.group_key = fit.group_key and quality.k = fit.k and quality.chosen
where fit.group_key = {{ seg_sql.param('group_key') }}
    and fit.restart < 100
    and fit.inertia is not null
order by {{ seg_sql.bin('fit.stage') }}, fit.restart, fit.iteration
limit 400
