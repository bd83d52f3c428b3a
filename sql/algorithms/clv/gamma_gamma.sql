-- The sums that the log-likelihood of Gamma-Gamma, its gradient and Hessian are made of.
-- Grain: fit. Special functions are taken once for each x (Fader & Hardie 2013); logarithms are of
-- ratios, which lose no digits.
with

-- Each gamma function of the likelihood, ln G(px + q) - ln G(px) - ln G(q), with the sign and the
-- number of customers that it has, and how its argument changes with p and q.
arguments as (

    select
        frequencies.fit,
        parts.sign * frequencies.customers as n,
        parts.of_p * frequencies.x as by_p,
        parts.of_q as by_q,
        parts.of_p * fits.p * frequencies.x + parts.of_q * fits.q as argument
    from {{ frequencies }} as frequencies
    inner join {{ seg_sql.clv_rows(fits, names) }} on fits.fit = frequencies.fit
    cross join {{ seg_sql.clv_rows(
        [
            {'sign': 1, 'of_p': 1, 'of_q': 1},
            {'sign': -1, 'of_p': 1, 'of_q': 0},
            {'sign': -1, 'of_p': 0, 'of_q': 1},
        ],
        ['sign', 'of_p', 'of_q'], 'parts'
    ) }}
    {{ seg_sql.fence() }}

),

functions as (

    select
        fit, n, by_p, by_q,
        {{ seg_sql.lgamma('argument') }} as ln_gamma,
        {{ seg_sql.digamma('argument') }} as psi,
        {{ seg_sql.trigamma('argument') }} as psi1
    from arguments
    {{ seg_sql.fence() }}

),

gammas as (

    select
        fit,
        sum(n * ln_gamma) as g,
        sum(n * by_p * psi) as g_p,
        sum(n * by_q * psi) as g_q,
        sum(n * by_p * by_p * psi1) as g_pp,
        sum(n * by_p * by_q * psi1) as g_pq,
        sum(n * by_q * by_q * psi1) as g_qq
    from functions
    group by fit

),

terms as (

    select
        spent.fit,
        spent.x,
        fits.v,
        spent.z,
        1 / (spent.z + fits.v) as h
    from {{ values_ }} as spent
    inner join {{ seg_sql.clv_rows(fits, names) }} on fits.fit = spent.fit
    {{ seg_sql.fence() }}

),

sums as (

    select
        fit,
        cast(count(*) as {{ seg_sql.double() }}) as customers,
        sum(ln(1 + z / v)) as above_v,
        sum(x * ln(z * h)) as shares,
        sum(z * h) / min(v) as q_v,
        sum(x * h) as p_v,
        sum(h * h) as hh,
        sum(x * h * h) as x_hh
    from terms
    group by fit

)

select
    sums.fit, customers, above_v, shares, q_v, p_v, hh, x_hh,
    g, g_p, g_q, g_pp, g_pq, g_qq
from sums
inner join gammas on gammas.fit = sums.fit
