-- What the customers' purchases are worth to clv, which leaves out refunds on days of their own.
-- One row.
select sum(historic_value) as amount
from {{ ref('clv_customer_summary') }} as clv_customer_summary
