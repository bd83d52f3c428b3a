-- The integrals of Pareto/NBD, by double-exponential quadrature in w = ln((alpha + y)/(alpha + t)):
-- G = int_t^inf (alpha + y)^-(r + x) (beta + y)^-(s + 1) dy, H the same with powers one up, one down.
-- Grain: cell, that is fit, x and t, of the one that is asked for. Both are positive, so that the likelihood s G + (r + x) H loses no digit. `peak` is
-- the logarithm of the integrand at its top. Moments of the score give the derivatives.
with

cells as (

    select
        cells.fit, cells.frequency, cells.since,
        fits.r + cells.frequency{{ ' + 1' if side == 'h' }} as p,
        fits.s{{ ' + 1' if side == 'g' }} as q,
        fits.r + fits.s + cells.frequency as k,
        fits.alpha + cells.since as y0,
        (fits.beta - fits.alpha) / (fits.alpha + cells.since) as c
    from {{ cells }} as cells
    inner join {{ seg_sql.clv_rows(fits, names) }} on fits.fit = cells.fit
    {{ seg_sql.fence() }}

),

scaled as (

    select
        fit, frequency, since, p, q, k, y0, c,
        case
            when q > 20 then ln(1 + 1 / (p + q / (1 + c)))
            else sqrt(greatest(ln(1 + 1 / (p + q / (1 + c))), 1 / k) / k)
        end as width,
        case
            when q > k and c * (q - k) > k then -k * ln(c * (q - k) / k) - q * ln(q / (q - k))
            else -q * ln(1 + c)
        end as peak
    from cells
    {{ seg_sql.fence() }}

),

points as (

    select
        fit, frequency, since, p, q, k, y0, c, width, peak,
        nodes.weight * width as weight,
        nodes.place * width as w,
        exp(-least(nodes.place * width, 600)) as v
    from scaled
    cross join {{ seg_sql.clv_rows(nodes, ['place', 'weight'], 'nodes') }}
    {{ seg_sql.fence() }}

),

integrand as (

    select
        fit, frequency, since, p, q, k, y0, peak, w,
        v / y0 as c,
        v / ((1 + c * v) * y0) as d,
        ln(1 + c * v) as f,
        weight * exp(greatest(-k * w - q * ln(1 + c * v) - peak, -150)) as g
    from points
    {{ seg_sql.fence() }}

),

{% if not derivatives -%}
integrals as (

    select
        fit, frequency, since,
        ln(sum(g)) + min(peak) - min(k) * ln(min(y0)) as value
    from integrand
    group by fit, frequency, since

)

select fit, frequency, since, value
from integrals
{%- else -%}
logarithms as (

    select
        fit, frequency, since, p, q, k, y0, peak, c, d, g,
        ln(y0) + w as a,
        ln(y0) + w + f as b
    from integrand
    {{ seg_sql.fence() }}

),

moments as (

    select
        fit, frequency, since,
        min(p) as p,
        min(q) as q,
        ln(sum(g)) + min(peak) - min(k) * ln(min(y0)) as value,
        sum(g * a) / sum(g) as a,
        sum(g * b) / sum(g) as b,
        sum(g * c) / sum(g) as c,
        sum(g * d) / sum(g) as d,
        sum(g * a * a) / sum(g) as aa,
        sum(g * a * b) / sum(g) as ab,
        sum(g * a * c) / sum(g) as ac,
        sum(g * a * d) / sum(g) as ad,
        sum(g * b * b) / sum(g) as bb,
        sum(g * b * c) / sum(g) as bc,
        sum(g * b * d) / sum(g) as bd,
        sum(g * c * c) / sum(g) as cc,
        sum(g * c * d) / sum(g) as cd,
        sum(g * d * d) / sum(g) as dd
    from logarithms
    group by fit, frequency, since
    {{ seg_sql.fence() }}

)

select
    fit, frequency, since, value,
    -a as d_r,
    -p * c as d_alpha,
    -b as d_s,
    -q * d as d_beta,
    aa - a * a as rr,
    p * (ac - a * c) - c as r_alpha,
    ab - a * b as rs,
    q * (ad - a * d) as r_beta,
    p * p * (cc - c * c) + p * cc as alpha_alpha,
    p * (bc - b * c) as alpha_s,
    p * q * (cd - c * d) as alpha_beta,
    bb - b * b as ss,
    q * (bd - b * d) - d as s_beta,
    q * q * (dd - d * d) + q * dd as beta_beta
from moments
{%- endif %}
