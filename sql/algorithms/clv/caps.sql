-- The mean value that higher ones are taken down to, and how many are.
-- Grain: fit.
with

means as (

    select fit, z / x as mean_value
    from {{ values_ }} as spent

),

caps as (

    select
        fit,
        {{ seg_sql.round('percentile_cont(' ~ share ~ ') within group (order by mean_value)') }} as cap
    from means
    group by fit

)

select
    caps.fit,
    caps.cap,
    count(case when means.mean_value > caps.cap then 1 end) as capped
from caps
inner join means on means.fit = caps.fit
group by caps.fit, caps.cap
order by caps.fit
