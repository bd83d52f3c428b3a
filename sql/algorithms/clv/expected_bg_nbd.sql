-- Orders to expect of a customer who is still there, under BG/NBD or MBG/NBD, and their discounted
-- number. Grain: fit, frequency, age. The mean over p ~ Beta(a, B) of (1 - (1 + p tau)^-k) / p, by
-- double-exponential quadrature in -ln(1 - p), and where p is nearly the same for all (a >= 4) in
-- ln(p / (1 - p)) from its top: unlike the form with 2F1 (Fader, Hardie & Lee 2005, eq. 10) it has
-- no singularity at a = 1. tanh and atanh stand for expm1 and log1p.
with

ages as (

    select fit, frequency, age
    from {{ counts }} as counts
    group by fit, frequency, age

),

shapes as (

    select
        frequencies.fit,
        frequencies.frequency,
        fits.a,
        {{ 'fits.b + frequencies.frequency + 1' if modified else 'fits.b + frequencies.frequency' }} as b
    from (
        select fit, frequency
        from {{ counts }} as counts
        group by fit, frequency
    ) as frequencies
    inner join {{ seg_sql.clv_rows(fits, names) }} on fits.fit = frequencies.fit
    {{ seg_sql.fence() }}

),

scaled as (

    select
        fit, frequency, a, b,
        a >= 4 and b >= 1 as is_round,
        {{ seg_sql.lgamma('a') }} + {{ seg_sql.lgamma('b') }} - {{ seg_sql.lgamma('a + b') }}
            as ln_beta,
        ln(a / b) as top,
        case
            when a >= 4 and b >= 1 then sqrt(1 / a + 1 / b)
            else sqrt(greatest(1 / b, ln(1 + a / b)) / b)
        end as width
    from shapes
    {{ seg_sql.fence() }}

),

points as (

    select
        fit, frequency, a, b, ln_beta, is_round,
        case when is_round then nodes.round_weight else nodes.weight end * width as weight,
        case when is_round then top + nodes.round_place * width else nodes.place * width end as u
    from scaled
    cross join {{ seg_sql.clv_rows(
        nodes, ['place', 'weight', 'round_place', 'round_weight'], 'nodes'
    ) }}
    {{ seg_sql.fence() }}

),

-- ln p and ln(1 - p) at each point.
logarithms as (

    select
        fit, frequency, a, b, ln_beta, weight,
        case
            when is_round then least(u, 0) - ln(1 + exp(-least(abs(u), 600)))
            else ln(2 * tanh(u / 2) / (1 + tanh(u / 2)))
        end as ln_p,
        case
            when is_round then -greatest(u, 0) - ln(1 + exp(-least(abs(u), 600)))
            else -u
        end as ln_rest,
        case when is_round then 0 else 1 end as ends
    from points
    {{ seg_sql.fence() }}

),

probabilities as (

    select
        fit, frequency,
        exp(ln_p) as p,
        weight * exp(greatest((a - ends) * ln_p + b * ln_rest - ln_beta, -650)) as weight
    from logarithms
    {{ seg_sql.fence() }}

),

times as (

    select
        ages.fit, ages.frequency, ages.age,
        periods.place,
        periods.discount,
        fits.r + ages.frequency as k,
        periods.place / (fits.alpha + ages.age) as tau
    from ages
    inner join {{ seg_sql.clv_rows(fits, names) }} on fits.fit = ages.fit
    inner join {{ seg_sql.clv_rows(periods, ['fit', 'place', 'discount'], 'periods') }}
        on periods.fit = ages.fit
    {{ seg_sql.fence() }}

),

halves as (

    select
        times.fit, times.frequency, times.age, times.place, times.discount, times.k, times.tau,
        probabilities.p,
        probabilities.weight,
        tanh(times.k * atanh(probabilities.p * times.tau / (2 + probabilities.p * times.tau)))
            as half
    from times
    inner join probabilities
        on probabilities.fit = times.fit
        and probabilities.frequency = times.frequency
    {{ seg_sql.fence() }}

),

orders as (

    select
        fit, frequency, age, place, discount,
        min(k * tau) - sum(weight * (k * tau - 2 * half / ((1 + half) * p))) as orders
    from halves
    group by fit, frequency, age, place, discount

)

select
    fit, frequency, age,
    greatest(max(orders), 0) as orders,
    greatest(sum(discount * orders), 0) as discounted_orders
from orders
group by fit, frequency, age
