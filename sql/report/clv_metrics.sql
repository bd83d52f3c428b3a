-- How good the model was in the holdout, beside its baseline.
-- Grain: one row per metric.
select metric, value, baseline
from {{ ref('clv_metrics') }} as clv_metrics
where group_key = {{ seg_sql.param('group_key') }} and model = {{ seg_sql.param('model') }}
order by {{ seg_sql.bin('metric') }}
