-- What the fit came to.
-- Grain: one row.
select
    (
        select coalesce({{ seg_sql.isum('all_baskets') }}, 0)
        from {{ partitions }} as partitions
    ) as baskets,
    (select count(*) from {{ catalogue }} as catalogue) as items,
    (select count(*) from {{ rules }} as rules) as rules
