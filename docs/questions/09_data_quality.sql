-- What was read, what was dropped, and why? Can the figures be trusted?
-- One row per input and reason.
select
    input,
    reason,
    action,
    rows,
    orders,
    round(cast(amount as numeric(30, 6)), 2) as amount,
    round(cast(100 * amount_share as numeric(30, 6)), 2) as percent_of_amount
from input_quality
order by input, action desc, rows desc, reason
