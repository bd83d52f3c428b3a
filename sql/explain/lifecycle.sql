-- A customer's stage and the numbers it follows from.
select
    stage,
    orders,
    days_since_last,
    at_risk_after_days,
    churned_after_days,
    threshold_source,
    last_gap_days,
    longest_earlier_gap_days,
    unusual_gap_days
from {{ ref('customer_lifecycle') }} as customer_lifecycle
where cast(customer_id as {{ seg_sql.text() }}) = {{ seg_sql.param('customer') }}
