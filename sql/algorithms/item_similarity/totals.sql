-- How many baskets each group has.
-- Grain: group.
select group_key, count(*) as baskets, sum(weight) as weight
from {{ baskets }} as baskets
group by group_key
