-- The lines of every order as a shop's export holds them, faults included, in the order of time.
-- A refund takes lines back by a negative quantity; a fault falls on one line of its order.
create or replace temp view order_lines as

with

with_shipping as (

    select
        order_no,
        ordered_at,
        customer_id,
        country,
        channel,
        fault,
        refund,
        dearest,
        1 + cast(floor(len(item_numbers) * uniform('faulty line', purchase)) as bigint)
            as faulty,
        case when is_shipped then list_append(item_numbers, 401) else item_numbers end
            as item_numbers,
        case when is_shipped then list_append(quantities, 1e0) else quantities end as quantities,
        case
            when is_shipped then list_append(unit_prices, catalogue_prices[401])
            else unit_prices
        end as unit_prices
    from priced_baskets

),

lines as (

    select
        * exclude (item_numbers, quantities, unit_prices),
        unnest(
            case
                when refund = 'dearest item' then [dearest]
                when fault = 'duplicate'
                    then list_append(range(1, len(item_numbers) + 1), faulty)
                else range(1, len(item_numbers) + 1)
            end
        ) as position,
        item_numbers,
        quantities,
        unit_prices
    from with_shipping

)

select
    order_no,
    ordered_at,
    customer_id,
    case
        when fault = 'no item' and position = faulty then null
        when item_numbers[position] = 401 then 'SHIPPING'
        else 'P' || cast(1000 + item_numbers[position] as varchar)
    end as sku,
    cast(
        case when refund is null then quantities[position] else -quantities[position] end
        as integer
    ) as quantity,
    case
        when fault = 'no price' and position = faulty then null
        else unit_prices[position]
    end as unit_price,
    country,
    channel
from lines
