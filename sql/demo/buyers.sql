-- Everyone who ever orders: the day of the first order and the three numbers that drive the rest.
-- Buyers above {{ customers }} are guests: each orders once, without an account of his own.
create or replace temp table buyers as

with

numbered as (

    select
        buyer,
        buyer > {{ customers }} as is_guest,
        uniform('arrival', buyer) as arrival,
        uniform('country', buyer) as country,
        uniform('channel', buyer) as channel,
        gamma('dropout a', buyer, {{ truth.a }}) as dropout_a,
        gamma('dropout b', buyer, {{ truth.b }}) as dropout_b
    from range(1, {{ customers + guests }} + 1) as listed (buyer)

)

select
    numbered.buyer,
    numbered.is_guest,
    case
        when not numbered.is_guest then format('C{:07d}', numbered.buyer)
        when uniform('named guest', numbered.buyer) < {{ truth.named_guest_share }} then 'GUEST'
    end as customer_id,
    calendar.day as first_day,
    ({{ truth.last_day }} - calendar.day) / 7e0 as weeks_observed,
    -- Purchases a week: Gamma(r, alpha). A guest has no rate, and so no second order.
    case
        when not numbered.is_guest
            then gamma('rate', numbered.buyer, {{ truth.r }}) / {{ truth.alpha }}
    end as rate,
    -- The chance to leave for good after a repeat purchase: Beta(a, b), from two gammas.
    numbered.dropout_a / (numbered.dropout_a + numbered.dropout_b) as dropout,
    -- The scale of what an order is worth: one over a Gamma(q, v).
    {{ truth.v }} / gamma('value scale', numbered.buyer, {{ truth.q }}) as value_scale,
    case
        when numbered.country < 0.44 then 'United Kingdom'
        when numbered.country < 0.62 then 'Germany'
        when numbered.country < 0.76 then 'France'
        when numbered.country < 0.85 then 'Netherlands'
        when numbered.country < 0.91 then 'Spain'
        when numbered.country < 0.96 then 'Sweden'
        else 'Ireland'
    end as country,
    case
        when numbered.channel < 0.55 then 'web'
        when numbered.channel < 0.80 then 'app'
        else 'store'
    end as channel,
    not numbered.is_guest
    and uniform('returns all', numbered.buyer) < {{ truth.returns_all_share }} as returns_all
from numbered
asof inner join calendar
    on numbered.arrival >= calendar.lower_bound
