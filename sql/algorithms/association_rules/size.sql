-- What the fit came to.
-- Grain: one row.
select
    (select count(*) from {{ baskets }} as baskets) as baskets,
    (select count(*) from {{ catalogue }} as catalogue) as items,
    (select count(*) from {{ rules }} as rules) as rules
