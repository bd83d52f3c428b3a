-- How much was drawn and how often each fault was planted.
-- Counted on the draws themselves, not on the file, so that a test can compare the two.
select
    count(*) filter (where refund is null) as orders,
    count(*) filter (where refund is null and is_guest) as guest_orders,
    count(*) filter (where refund is null and customer_id = 'GUEST') as guest_orders_with_id,
    count(*) filter (where refund is not null) as refund_orders,
    count(*) filter (where fault = 'no item') as lines_without_item,
    count(*) filter (where fault = 'no price') as lines_without_price,
    count(*) filter (where fault = 'duplicate') as duplicate_lines,
    (
        select cast(coalesce(sum(
            case
                when refund = 'dearest item' then 1
                else len(item_numbers) + cast(is_shipped as integer)
            end
        ), 0) as bigint)
        from baskets
        where refund is not null
    ) as refund_lines,
    (select count(*) from buyers where returns_all) as customers_returning_all
from orders
