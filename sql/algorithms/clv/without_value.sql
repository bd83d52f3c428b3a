-- Repeat customers whose purchases have no value that Gamma-Gamma could learn from.
-- One row.
select count(*) as row_count
from (
    {{ customers }}
) as customers
where customers.frequency > 0
    and not (
        coalesce(customers.monetary_value, 0) > 0
        and {{ seg_sql.is_finite('coalesce(customers.monetary_value, 0)') }}
    )
