-- The values between the tenths of the customers by clv.
-- One row. All at once: each alone would collect the values again.
select
    {% for share in range(1, 10) -%}
    {{ seg_sql.round(seg_sql.element('tenths', share)) }} as c{{ share }}{{ ',' if not loop.last }}
    {% endfor -%}
from (
    select {{ seg_sql.quantiles('clv', 10) }} as tenths
    from (
        {% for each in scored -%}
        select clv
        from {{ each }} as scored
        {{ 'union all' if not loop.last }}
        {% endfor -%}
    ) as scored
) as quantiles
