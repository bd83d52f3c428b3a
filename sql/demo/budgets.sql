-- What each order will be filled with: how many draws of items, which affinity and colour, whether
-- shipping.
-- The catalogue's prices come along as a list, so that the next views look prices up by number.
create or replace temp view budgets as

with

catalogue as (

    select list(list_price order by item_number) as catalogue_prices
    from items

),

groups as (

    select
        affinity,
        list(item_number order by item_number) as item_numbers
    from affinities
    group by affinity

),

companions as (

    select list(item_numbers order by affinity) as by_affinity
    from groups

)

select
    orders.*,
    catalogue.catalogue_prices,
    -- The colour that the customer likes.
    cast(floor(10e0 * uniform('colour', orders.purchase // 1024)) as integer) as colour_number,
    -- Most small orders pay for shipping, which is part of their value.
    orders.order_value between 12 and 45
    and uniform('shipping', orders.purchase) < {{ truth.shipping_share }} as is_shipped,
    -- One item and more by chance: more kinds in November and December, fewer for little money.
    1 + least(
        floor(
            -ln(uniform('draws', orders.purchase))
            * case when orders.month_bought >= 11 then 2.2e0 else 1.6e0 end
        ),
        floor(orders.order_value / 12e0)
    ) as draws,
    case
        when
            orders.order_value >= 20
            and uniform('affinity', orders.purchase) < {{ truth.affinity_share }}
            then companions.by_affinity[cast(
                ceil(len(companions.by_affinity) * uniform('which affinity', orders.purchase))
                as integer
            )]
        else []
    end as companion_items
from orders
cross join catalogue
cross join companions
