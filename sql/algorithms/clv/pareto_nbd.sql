-- The sums that the log-likelihood of Pareto/NBD, its gradient and Hessian are made of.
-- Grain: fit. Of one customer it is ln(s G + (r + x) H), without the gammas, which are in the
-- tails; `gone` is the weight of s G in it (Schmittlein, Morrison & Colombo 1987, by parts).
{%- set firsts = ['d_r', 'd_alpha', 'd_s', 'd_beta'] %}
{%- set seconds = ['rr', 'r_alpha', 'rs', 'r_beta', 'alpha_alpha', 'alpha_s', 'alpha_beta', 'ss', 's_beta', 'beta_beta'] %}
with

{% for side, integral in integrals.items() -%}
{{ side }} as (

    {{ integral }}
    {{ seg_sql.fence() }}

),

{% endfor -%}
terms as (

    select
        counts.fit,
        counts.customers as n,
        ln(fits.s) + g.value as left_before,
        ln(fits.r + counts.frequency) + h.value as still_there,
        g.d_r as g_d_r,
        g.d_alpha as g_d_alpha,
        g.d_s + 1 / fits.s as g_d_s,
        g.d_beta as g_d_beta,
        h.d_r + 1 / (fits.r + counts.frequency) as h_d_r,
        h.d_alpha as h_d_alpha,
        h.d_s as h_d_s,
        h.d_beta as h_d_beta,
        {% for second in seconds -%}
        g.{{ second }}{{ ' - 1 / (fits.s * fits.s)' if second == 'ss' }} as g_{{ second }},
        h.{{ second }}
            {{- ' - 1 / ((fits.r + counts.frequency) * (fits.r + counts.frequency))' if second == 'rr' }}
            as h_{{ second }}{{ ',' if not loop.last }}
        {% endfor -%}
    -- Each row has both integrals; with left joins no planner joins these to each other first, all
    -- recencies to all ages of a frequency.
    from {{ counts }} as counts
    inner join {{ seg_sql.clv_rows(fits, names) }} on fits.fit = counts.fit
    left join g
        on g.fit = counts.fit
        and g.frequency = counts.frequency
        and g.since = counts.recency
    left join h
        on h.fit = counts.fit
        and h.frequency = counts.frequency
        and h.since = counts.age
    {{ seg_sql.fence() }}

),

odds as (

    select
        terms.*,
        exp(-least(abs(left_before - still_there), 200)) as z
    from terms
    {{ seg_sql.fence() }}

),

weighted as (

    select
        odds.*,
        greatest(left_before, still_there) + ln(1 + z) as value,
        case when left_before >= still_there then 1 else z end / (1 + z) as gone
    from odds
    {{ seg_sql.fence() }}

),

sums as (

    select
        fit,
        sum(n) as customers,
        sum(n * value) as value,
        {% for first in firsts -%}
        sum(n * (gone * g_{{ first }} + (1 - gone) * h_{{ first }})) as {{ first }},
        {% endfor -%}
        {% for second, one, other in [
            ('rr', 'd_r', 'd_r'), ('r_alpha', 'd_r', 'd_alpha'), ('rs', 'd_r', 'd_s'),
            ('r_beta', 'd_r', 'd_beta'), ('alpha_alpha', 'd_alpha', 'd_alpha'),
            ('alpha_s', 'd_alpha', 'd_s'), ('alpha_beta', 'd_alpha', 'd_beta'), ('ss', 'd_s', 'd_s'),
            ('s_beta', 'd_s', 'd_beta'), ('beta_beta', 'd_beta', 'd_beta'),
        ] -%}
        sum(n * (
            gone * g_{{ second }} + (1 - gone) * h_{{ second }}
            + gone * (1 - gone) * (g_{{ one }} - h_{{ one }}) * (g_{{ other }} - h_{{ other }})
        )) as {{ second }}{{ ',' if not loop.last }}
        {% endfor -%}
    from weighted
    group by fit

),

gammas as (

    select
        tails.fit,
        sum(above * ln(r + j)) as r0,
        sum(above / (r + j)) as r1,
        sum(above / ((r + j) * (r + j))) as r2
    from {{ tails }} as tails
    inner join {{ seg_sql.clv_rows(fits, names) }} on fits.fit = tails.fit
    group by tails.fit

)

select
    sums.fit, customers, value, {{ firsts | join(', ') }}, {{ seconds | join(', ') }}, r0, r1, r2
from sums
inner join gammas on gammas.fit = sums.fit
