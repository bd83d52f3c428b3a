-- The baskets of each group with a number each, and the weight of each by its age.
-- Grain: group and basket.
select
    cast(row_number() over (
        order by {{ seg_sql.bin_text('group_key') ~ ', ' if grouped }}{{ seg_sql.bin('unit_id') }}
    ) as integer) as unit_no,
    {{ 'group_key' if grouped else "'all'" }} as group_key,
    unit_id,
    {{ weight }} as weight
from (
    select
        {%- if grouped %}
        group_key,
        {%- endif %}
        {%- if weighted %}
        max(order_date) as last_date,
        {%- endif %}
        unit_id
    from {{ lines }} as lines
    group by {{ 'group_key, ' if grouped }}unit_id
) as units
