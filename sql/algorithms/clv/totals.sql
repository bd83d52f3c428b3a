-- All that is expected.
-- One row.
select
    count(*) as customers,
    sum(expected_orders) as expected_orders,
    sum(clv) as clv
from {{ model }} as model
