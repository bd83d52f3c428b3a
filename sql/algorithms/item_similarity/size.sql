-- How much was counted.
-- One row.
select
    (select {{ seg_sql.isum('baskets') }} from {{ totals }} as totals) as baskets,
    (select count(*) from {{ items }} as items) as items,
    (select count(*) from {{ neighbours }} as neighbours) as neighbours,
    (select count(*) from {{ neighbours }} as neighbours where baskets < {{ few_baskets }}) as few
