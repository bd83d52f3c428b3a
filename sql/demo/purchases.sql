-- The BG/NBD process of Fader, Hardie and Lee (2005): in each round all who stay buy once more.
-- One purchase a day at most, a second moves to the next day: counting days then finds each one.
create or replace temp table purchases as

with recursive

purchases as (

    select
        buyer,
        0 as repeat_number,
        0e0 as weeks,
        first_day as day,
        first_day,
        weeks_observed,
        rate,
        dropout
    from buyers

    union all

    select
        buyer,
        repeat_number + 1 as repeat_number,
        next_weeks as weeks,
        greatest(day + 1, first_day + cast(round(7e0 * next_weeks) as integer)) as day,
        first_day,
        weeks_observed,
        rate,
        dropout
    from (
        select
            *,
            weeks - ln(uniform('gap', buyer * 1024 + repeat_number)) / rate as next_weeks
        from purchases
        where
            -- Nobody leaves after the first purchase: that is what tells BG/NBD from MBG/NBD.
            repeat_number = 0
            or uniform('dropout', buyer * 1024 + repeat_number) >= dropout
    ) as staying
    where next_weeks <= weeks_observed

)

-- Two years have fewer than 1,024 days, so each purchase has a number of its own.
select
    buyer,
    buyer * 1024 + repeat_number as purchase,
    day
from purchases
where day <= {{ truth.last_day }}
