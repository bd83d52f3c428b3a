-- A pseudo-random part of the counted customers, the same on every engine.
-- Grain: that of the counts. Days are whole, so that a thousandth of a unit tells them apart.
select fit, frequency, recency, age, customers
from {{ counts }} as counts
where (
    (
        cast(floor(frequency) as bigint) * 7919
        + cast(floor(recency * 1000) as bigint) * 104729
        + cast(floor(age * 1000) as bigint) * 48271
    ) % 2147483647 * 69621 % 2147483647 % 1000000
) < {{ share }}
