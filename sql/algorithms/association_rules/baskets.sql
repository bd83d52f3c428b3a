-- The baskets, each with a number.
-- Grain: group_key, order_id.
select
    group_key,
    order_id,
    cast(row_number() over (order by group_key, order_id) as integer) as basket_number
from (
    select distinct
        {{ 'group_key' if partitioned else "'all' as group_key" }},
        order_id
    from {{ kept }} as kept
) as orders
