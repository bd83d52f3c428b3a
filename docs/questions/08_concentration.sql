-- How much of the revenue comes from the best tenth of the customers, the second tenth ...?
-- One row per tenth of the customers by what they spent; 1 is the best.
with

tenths as (

    select
        monetary,
        ntile(10) over (order by monetary desc, customer_id) as tenth
    from rfm

)

select
    tenth,
    count(*) as customers,
    round(cast(sum(monetary) as numeric(30, 6)), 2) as revenue,
    round(cast(100 * sum(monetary) / nullif(sum(sum(monetary)) over (), 0) as numeric(30, 6)), 1)
        as percent_of_revenue
from tenths
group by tenth
order by tenth
