-- The baskets with more than {{ max_items }} items: they would have pairs without number.
-- Grain: basket.
select unit_no, count(*) as items
from {{ bought }} as bought
group by unit_no
having count(*) > {{ max_items }}
