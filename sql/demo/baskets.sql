-- The items of each order, their quantities and their prices, as three lists side by side.
-- A quantity is what the money buys: an equal part of the order's value over the list price.
create or replace temp view baskets as

with

filled as (

    select
        *,
        round(order_value - case when is_shipped then catalogue_prices[401] else 0e0 end, 2)
            as goods_value,
        -- Items are drawn alone, by popularity; many of them are then taken in the colour that the
        -- customer likes. Those of an affinity come along most of the time.
        list_sort(list_distinct(list_concat(
            list_transform(
                range(cast(draws as bigint)),
                lambda draw: case
                    when uniform('taste', purchase * 128 + draw) < {{ truth.taste_share }}
                        then in_colour(
                            popular_item('item', purchase * 128 + draw), colour_number
                        )
                    else popular_item('item', purchase * 128 + draw)
                end
            ),
            list_filter(
                companion_items,
                lambda item:
                    uniform('companion', purchase * 512 + item) < {{ truth.companion_share }}
            )
        ))) as item_numbers
    from budgets

),

listed as (

    select
        *,
        list_transform(item_numbers, lambda item: catalogue_prices[item]) as list_prices
    from filled

)

select
    *,
    list_transform(
        list_prices,
        lambda price: least(50e0, greatest(1e0, round(goods_value / (len(list_prices) * price))))
    ) as quantities,
    list_position(list_prices, list_max(list_prices)) as dearest
from listed
