-- How many baskets each item is in.
-- Grain: item.
select
    bought.item_no,
    count(*) as baskets,
    {{ 'sum(units.weight)' if weighted else 'cast(count(*) as ' ~ seg_sql.double() ~ ')' }} as weight
from {{ bought }} as bought
{%- if weighted %}
inner join {{ units }} as units
    on units.unit_no = bought.unit_no
{%- endif %}
group by bought.item_no
