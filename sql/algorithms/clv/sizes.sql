-- How many customers each fit has, and the moments that its start is made of.
-- Grain: fit.
select
    fit,
    count(*) as distinct_rows,
    sum(customers) as customers,
    sum(case when frequency > 0 then customers else 0 end) as repeaters,
    sum(customers * frequency) as purchases,
    sum(customers * frequency * frequency) as squares,
    sum(customers * age) as ages,
    max(age) as oldest,
    max(frequency) as highest
from {{ counts }} as counts
group by fit
order by fit
