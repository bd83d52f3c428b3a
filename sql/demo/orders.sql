-- Every purchase with its number, time, Gamma-Gamma value and planted fault, and every refund.
-- A refund is an order of its own some days later, numbered R and the number of what it takes back.
create or replace temp table orders as

with

timed as (

    select
        purchases.purchase,
        buyers.customer_id,
        buyers.is_guest,
        buyers.country,
        -- Between 07:00 and 23:00, most of it in the afternoon.
        purchases.day + to_seconds(cast(
            25200e0
            + floor(28800e0 * uniform('time', purchases.purchase))
            + floor(28800e0 * uniform('more time', purchases.purchase)) as bigint
        )) as bought_at,
        case
            when uniform('usual channel', purchases.purchase) < 0.7 then buyers.channel
            when uniform('other channel', purchases.purchase) < 0.5 then 'web'
            else 'store'
        end as channel,
        -- Fader and Hardie (2013): the value is a Gamma(p) on the buyer's own scale.
        greatest(
            0.01e0,
            round(buyers.value_scale * gamma('value', purchases.purchase, {{ truth.p }}), 2)
        ) as order_value,
        uniform('fault', purchases.purchase) as fault_draw,
        case
            when buyers.returns_all then 'whole order'
            when uniform('refund', purchases.purchase) >= {{ truth.refund_share }} then null
            when uniform('refund part', purchases.purchase) < 0.5 then 'whole order'
            else 'dearest item'
        end as refund_drawn,
        to_days(3 + cast(floor(18e0 * uniform('refund day', purchases.purchase)) as integer))
            as refund_delay
    from purchases
    inner join buyers
        on buyers.buyer = purchases.buyer

),

numbered as (

    select
        *,
        cast(100000 + row_number() over (order by bought_at, purchase) as varchar) as purchase_no
    from timed

),

with_refunds as (

    select
        *,
        unnest(case when refund_drawn is null then [null] else [null, refund_drawn] end) as refund
    from numbered

)

select
    purchase,
    case when refund is null then purchase_no else 'R' || purchase_no end as order_no,
    case when refund is null then bought_at else bought_at + refund_delay end as ordered_at,
    month(bought_at) as month_bought,
    customer_id,
    is_guest,
    country,
    channel,
    order_value,
    case
        when refund is not null then null
        when fault_draw < {{ truth.no_item_share }} then 'no item'
        when fault_draw < {{ truth.no_item_share + truth.no_price_share }} then 'no price'
        when fault_draw < {{ truth.no_item_share + truth.no_price_share + truth.duplicate_share }}
            then 'duplicate'
    end as fault,
    refund
from with_refunds
where refund is null or bought_at + refund_delay < {{ truth.last_day }} + 1
order by ordered_at, order_no
