-- How many baskets each group has.
-- Grain: group.
select
    units.group_key,
    count(*) as baskets,
    sum(units.weight) as weight
from {{ units }} as units
{%- if left_out %}
left join {{ left_out }} as left_out
    on left_out.unit_no = units.unit_no
where left_out.unit_no is null
{%- endif %}
group by units.group_key
