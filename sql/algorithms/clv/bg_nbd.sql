-- The sums that the log-likelihood of BG/NBD or MBG/NBD, its gradient and Hessian are made of.
-- Grain: fit. Of one customer it is A + ln(1 + exp(d)), where A is that of being alive, without
-- the gammas, which are in the tails, and d the log-odds of having left (Fader, Hardie & Lee 2005;
-- Batislam et al. 2007). `gone` = 1 - P(alive); exponents are held at 200, so nothing underflows.
with

terms as (

    select
        counts.fit,
        counts.customers as n,
        counts.frequency,
        fits.a,
        fits.r + counts.frequency as k,
        ln(fits.alpha + counts.age) as u,
        ln((fits.alpha + counts.age) / (fits.alpha + counts.recency)) as l,
        1 / (fits.alpha + counts.age) as e,
        1 / (fits.alpha + counts.recency) as f,
        {% if modified -%}
        1 / (fits.b + counts.frequency) as h
        {%- else -%}
        1 / (fits.b + greatest(counts.frequency, 1) - 1) as h
        {%- endif %}
    from {{ counts }} as counts
    inner join {{ seg_sql.clv_rows(fits, names) }} on fits.fit = counts.fit
    {{ seg_sql.fence() }}

),

odds as (

    select fit, n, frequency, k, u, l, e, f, h, ln(a * h) + k * l as d
    from terms
    {{ seg_sql.fence() }}

),

exponentials as (

    select fit, n, frequency, k, u, l, e, f, h, d, exp(-least(abs(d), 200)) as z
    from odds
    {{ seg_sql.fence() }}

),

weighted as (

    select
        fit, n, k, u, l, e, f, h,
        {% if modified -%}
        greatest(d, 0) + ln(1 + z) as softplus,
        case when d >= 0 then 1 else z end / (1 + z) as gone
        {%- else -%}
        case when frequency > 0 then greatest(d, 0) + ln(1 + z) else 0 end as softplus,
        case when frequency <= 0 then 0 when d >= 0 then 1 / (1 + z) else z / (1 + z) end as gone
        {%- endif %}
    from exponentials
    {{ seg_sql.fence() }}

),

spread as (

    select fit, n, k, u, l, e, f, h, softplus, gone, gone * (1 - gone) as v, e - f as g
    from weighted
    {{ seg_sql.fence() }}

),

sums as (

    select
        fit,
        sum(n) as customers,
        sum(n * (softplus - k * u)) as value,
        sum(n * (gone * l - u)) as d_r,
        sum(n * k * (gone * g - e)) as d_alpha,
        sum(n * gone) as d_a,
        sum(n * gone * h) as d_b,
        sum(n * v * l * l) as rr,
        sum(n * (gone * g - e + v * l * k * g)) as r_alpha,
        sum(n * v * l) as ra,
        sum(n * v * l * h) as rb,
        sum(n * (k * e * e + v * k * k * g * g - gone * k * (e * e - f * f))) as alpha_alpha,
        sum(n * v * k * g) as alpha_a,
        sum(n * v * k * g * h) as alpha_b,
        sum(n * v) as aa,
        sum(n * v * h) as ab,
        sum(n * (v + gone) * h * h) as bb
    from spread
    group by fit

),

{%- set left = 'at_least' if modified else 'above' %}

gammas as (

    select
        tails.fit,
        sum(above * ln(r + j)) as r0,
        sum(above / (r + j)) as r1,
        sum(above / ((r + j) * (r + j))) as r2,
        sum({{ left }} * ln((b + j) / (a + b + j))) as b0,
        sum({{ left }} / (b + j)) as b1,
        sum({{ left }} / ((b + j) * (b + j))) as b2,
        sum({{ left }} / (a + b + j)) as ab1,
        sum({{ left }} / ((a + b + j) * (a + b + j))) as ab2
    from {{ tails }} as tails
    inner join {{ seg_sql.clv_rows(fits, names) }} on fits.fit = tails.fit
    group by tails.fit

)

select
    sums.fit, customers, value, d_r, d_alpha, d_a, d_b, rr, r_alpha, ra, rb, alpha_alpha, alpha_a,
    alpha_b, aa, ab, bb, r0, r1, r2, b0, b1, b2, ab1, ab2
from sums
inner join gammas on gammas.fit = sums.fit
