-- How many customers have more than j repeat purchases, and how many at least j.
-- Grain: fit, j. With these every gamma function of a likelihood is an exact sum of logarithms:
-- the sum over customers of ln Gamma(r + x) - ln Gamma(r) is that of above_j ln(r + j) over j.
with

frequencies as (

    select fit, cast(frequency as bigint) as frequency, sum(customers) as customers
    from {{ counts }} as counts
    group by fit, cast(frequency as bigint)

),

fits as (

    select fit, max(frequency) as highest
    from frequencies
    group by fit

),

places as (

    select fits.fit, places.n as place
    from fits
    inner join {{ seg_sql.numbers(0, highest) }} as places on places.n <= fits.highest

),

counted as (

    select
        places.fit,
        places.place,
        coalesce(frequencies.customers, 0) as customers,
        sum(coalesce(frequencies.customers, 0)) over (
            partition by places.fit
            order by places.place desc
            rows between unbounded preceding and current row
        ) as at_least
    from places
    left join frequencies
        on frequencies.fit = places.fit
        and frequencies.frequency = places.place

)

select
    fit,
    cast(place as {{ seg_sql.double() }}) as j,
    at_least - customers as above,
    at_least
from counted
