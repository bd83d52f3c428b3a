-- The values between the tenths of the customers by clv.
-- One row.
select
    {% for share in range(1, 10) -%}
    {{ seg_sql.round('percentile_cont(0.' ~ share ~ ') within group (order by clv)') }} as c{{ share }}
    {{- ',' if not loop.last }}
    {% endfor -%}
from (
    {% for each in scored -%}
    select clv
    from {{ each }} as scored
    {{ 'union all' if not loop.last }}
    {% endfor -%}
) as scored
