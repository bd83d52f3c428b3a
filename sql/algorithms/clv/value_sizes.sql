-- How many customers the value of an order is learnt from, and the moments of their means.
-- Grain: fit.
select
    fit,
    count(*) as customers,
    sum(z / x) as means,
    sum(ln(z / x)) as logarithms,
    sum(ln(z / x) * ln(z / x)) as log_squares,
    sum(1 / x) as inverses,
    sum(1 / (x * x)) as inverse_squares,
    sum(ln(z / x) / x) as logarithms_by_x,
    sum(ln(z / x) * ln(z / x) / x) as log_squares_by_x,
    sum(x) as purchases,
    sum(x * x) as purchase_squares,
    sum((z / x) * (z / x)) as mean_squares,
    sum(z) as products
from {{ values_ }} as spent
group by fit
order by fit
