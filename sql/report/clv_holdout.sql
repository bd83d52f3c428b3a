-- What the model expected of the holdout, and what came, by repeat purchases in the calibration.
-- Grain: one row per number of repeat purchases; those of fewer than min_group customers are left
-- out.
select
    frequency,
    customers,
    {{ seg_sql.safe_div('actual_orders', 'customers') }} as actual_orders,
    {{ seg_sql.safe_div('expected_orders', 'customers') }} as expected_orders,
    {{ seg_sql.safe_div('baseline_orders', 'customers') }} as baseline_orders
from {{ ref('clv_holdout') }} as clv_holdout
where group_key = {{ seg_sql.param('group_key') }}
    and model = {{ seg_sql.param('model') }}
    and customers >= {{ min_group }}
order by frequency
