-- Where most values of each measure lie, to choose the bars of its distribution by.
-- Grain: one row.
select
    {%- for column in columns %}
    percentile_cont(0.5) within group (order by {{ column }}) as {{ column }}_median,
    percentile_cont(0.98) within group (order by {{ column }}) as {{ column }}_high,
    {%- endfor %}
    count(*) as customers
from {{ ref('rfm') }} as rfm
