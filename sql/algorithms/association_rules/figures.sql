-- How many itemsets a level has, and how many candidates of the next one they can be joined to: as
-- many as there are pairs with the same prefix.
-- Grain: one row.
select
    {{ seg_sql.isum('sets') }} as itemsets,
    {{ seg_sql.isum('sets * (sets - 1) / 2') }} as candidates
from (
    select count(*) as sets
    from {{ sets }} as itemsets
    group by prefix_number
) as prefixes
