-- How likely a new customer arrives on each day, as the part of (0, 1) that begins at lower_bound.
-- Arrivals grow, swing with the year and peak at weekends; they do not change how often one buys.
create or replace temp table calendar as

with

days as (

    select
        cast(listed.day as date) as day,
        (cast(listed.day as date) - {{ truth.first_day }}) / 365e0 as years
    from range(
        {{ truth.first_day }}, {{ truth.last_day }} + 1, interval '1' day
    ) as listed (day)

),

weights as (

    select
        day,
        (1e0 + {{ truth.yearly_growth }} * years)
        * (1e0 + {{ truth.yearly_swing }} * cos(2e0 * pi() * (dayofyear(day) - 330) / 365e0))
        * case when isodow(day) >= 6 then {{ truth.weekend_factor }} else 1e0 end as weight
    from days

)

select
    day,
    round((sum(weight) over (order by day) - weight) / sum(weight) over (), 12) as lower_bound
from weights
order by day
