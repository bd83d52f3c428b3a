-- The sums that the log-likelihood of Gamma-Gamma, its gradient and Hessian are made of.
-- Grain: fit. Special functions are taken once for each x (Fader & Hardie 2013); logarithms are of
-- ratios, which lose no digits.
with

frequencies as (

    select
        frequencies.fit,
        frequencies.x,
        frequencies.customers as n,
        fits.p * frequencies.x as px,
        fits.q
    from {{ frequencies }} as frequencies
    inner join {{ seg_sql.clv_rows(fits, names) }} on fits.fit = frequencies.fit
    {{ seg_sql.fence() }}

),

gammas as (

    select
        fit,
        sum(n * ({{ seg_sql.lgamma('px + q') }} - {{ seg_sql.lgamma('px') }})) as g0,
        sum(n * x * ({{ seg_sql.digamma('px + q') }} - {{ seg_sql.digamma('px') }})) as g_p,
        sum(n * {{ seg_sql.digamma('px + q') }}) as g_q,
        sum(n * x * x * ({{ seg_sql.trigamma('px + q') }} - {{ seg_sql.trigamma('px') }})) as g_pp,
        sum(n * x * {{ seg_sql.trigamma('px + q') }}) as g_pq,
        sum(n * {{ seg_sql.trigamma('px + q') }}) as g_qq,
        {{ seg_sql.lgamma('min(q)') }} as q0,
        {{ seg_sql.digamma('min(q)') }} as q1,
        {{ seg_sql.trigamma('min(q)') }} as q2
    from frequencies
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
    g0, g_p, g_q, g_pp, g_pq, g_qq, q0, q1, q2
from sums
inner join gammas on gammas.fit = sums.fit
