-- How regularly customers buy: the coefficient of variation of the days between their purchases.
-- Small ones are a subscription's, of which a model of buying knows little.
-- Grain: one row per customer of a sample of those with at least four gaps between purchases.
{{ config(materialized='table', unique_key='customer_id') }}

with

regulars as (

    -- About 5,000 of them tell enough.
    select {{ seg_sql.safe_div(5000, 'count(*)') }} as share
    from {{ ref('clv_customer_summary') }} as summary
    where frequency >= 4

),

sampled as (

    select summary.customer_id
    from {{ ref('clv_customer_summary') }} as summary
    where summary.frequency >= 4
        and cast(floor(1000 * (summary.age + 31 * summary.recency)) as bigint)
            % 20011 < 20011 * (select share from regulars)

),

purchase_days as (

    select lines.customer_id, lines.order_date
    from {{ ref('order_lines_clean') }} as lines
    inner join sampled on sampled.customer_id = lines.customer_id
    group by lines.customer_id, lines.order_date
    having {{ seg_sql.clv_is_purchase('amount', 'quantity') }}

),

gaps as (

    select
        customer_id,
        {{ seg_sql.days_between(
            'lag(order_date) over (partition by customer_id order by order_date)', 'order_date'
        ) }} as gap_days
    from purchase_days

),

variations as (

    select
        customer_id,
        {{ seg_sql.safe_div('stddev_samp(gap_days)', 'avg(gap_days)') }} as gap_variation
    from gaps
    group by customer_id

)

select * from variations
