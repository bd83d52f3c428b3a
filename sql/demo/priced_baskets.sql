-- The baskets with the prices that were paid: all list prices of an order, moved by one factor.
-- Lines then add up to the order's value; the dearest item takes the cents that rounding leaves.
create or replace temp view priced_baskets as

with

moved as (

    select
        *,
        -- The 1e-9 rounds a half up, whatever the last bits of the sum are.
        list_transform(
            list_prices,
            lambda price: greatest(
                0.01e0,
                round(price * goods_value / list_inner_product(list_prices, quantities) + 1e-9, 2)
            )
        ) as moved_prices
    from baskets

)

select
    *,
    list_transform(
        moved_prices,
        lambda price, position: case
            when position = dearest
                then round(
                    price
                    + (goods_value - list_inner_product(moved_prices, quantities))
                    / quantities[dearest]
                    + 1e-9,
                    4
                )
            else price
        end
    ) as unit_prices
from moved
