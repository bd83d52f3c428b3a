-- What was read of each input, what was kept and what was dropped, and why. The amount of fewer
-- than min_group orders is not shown.
-- Grain: one row per input and reason.
select
    input,
    reason,
    action,
    rows,
    orders,
    case when orders >= {{ min_group }} then amount end as amount
from {{ ref('input_quality') }} as input_quality
order by
    {{ seg_sql.bin('input') }} desc,
    {{ seg_sql.bin('action') }} desc,
    rows desc,
    {{ seg_sql.bin('reason') }}
