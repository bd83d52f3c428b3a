-- How many customers the value of an order is learnt from, and the moments of their means.
-- Grain: fit.
select
    fit,
    count(*) as customers,
    sum(z / x) as means,
    sum(ln(z / x)) as logarithms,
    sum(x) as purchases,
    sum(x * x) as purchase_squares,
    sum((z / x) * (z / x)) as mean_squares,
    sum(z) as products
from {{ values_ }} as spent
group by fit
order by fit
