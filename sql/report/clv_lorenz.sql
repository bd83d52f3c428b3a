-- Which share of the value the best customers have: the Lorenz curve, best first.
-- Grain: one row per point of the curve; between two points lie at least min_group customers.
with

ranked as (

    select
        greatest(clv, 0) as clv,
        row_number() over (order by clv desc, {{ seg_sql.bin('customer_id') }}) as place,
        count(*) over () as customers
    from {{ ref('clv') }} as clv
    where group_key = {{ seg_sql.param('group_key') }}

),

steps as (

    select
        clv,
        cast(floor({{ seg_sql.safe_div(
            '(place - 1) * least(50, greatest(floor(' ~ seg_sql.safe_div(
                'customers', min_group
            ) ~ '), 1))', 'customers'
        ) }}) as integer) as step
    from ranked

),

summed as (

    select step, count(*) as customers, sum(clv) as clv
    from steps
    group by step

)

select
    {{ seg_sql.safe_div(
        'sum(customers) over (order by step rows unbounded preceding)', 'sum(customers) over ()'
    ) }} as customer_share,
    {{ seg_sql.safe_div(
        'sum(clv) over (order by step rows unbounded preceding)', 'sum(clv) over ()'
    ) }} as clv_share
from summed
order by step
