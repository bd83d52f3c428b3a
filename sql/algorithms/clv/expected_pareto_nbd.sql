-- Orders to expect of a customer who is still there, under Pareto/NBD, and their discounted number.
-- Grain: fit, frequency, age. (r + x)(beta + T) / (alpha + T) times (1 - exp(-v)) / (s - 1) with
-- v = (s - 1) ln(1 + t / (beta + T)), which has a limit at s = 1 (Schmittlein et al. 1987).
with

times as (

    select
        ages.fit, ages.frequency, ages.age,
        periods.discount,
        (fits.r + ages.frequency) * (fits.beta + ages.age) / (fits.alpha + ages.age) as rate,
        fits.s - 1 as power,
        2 * atanh(periods.place / (2 * (fits.beta + ages.age) + periods.place)) as stretch
    from (
        select fit, frequency, age
        from {{ counts }} as counts
        group by fit, frequency, age
    ) as ages
    inner join {{ seg_sql.clv_rows(fits, names) }} on fits.fit = ages.fit
    inner join {{ seg_sql.clv_rows(periods, ['fit', 'place', 'discount'], 'periods') }}
        on periods.fit = ages.fit
    {{ seg_sql.fence() }}

),

halves as (

    select
        fit, frequency, age, discount, rate, power, stretch,
        power * stretch as v,
        tanh(power * stretch / 2) as half
    from times
    {{ seg_sql.fence() }}

),

orders as (

    select
        fit, frequency, age, discount,
        rate * stretch * case
            when abs(v) < 1e-9 then 1 - v / 2
            when v < -1 then (1 - exp(least(-v, 600))) / v
            else 2 * half / ((1 + half) * v)
        end as orders
    from halves
    {{ seg_sql.fence() }}

)

select
    fit, frequency, age,
    max(orders) as orders,
    sum(discount * orders) as discounted_orders
from orders
group by fit, frequency, age
