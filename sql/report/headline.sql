-- The shop in a few numbers. Customers are those with a purchase.
-- Grain: one row.
with

customers as (

    select
        customer_id,
        sum(case when is_purchase then 1 else 0 end) as purchases,
        sum(amount) as revenue,
        min(case when is_purchase then order_date end) as first_order_date,
        max(case when is_purchase then order_date end) as last_order_date
    from {{ ref('orders') }} as orders
    group by customer_id

)

select
    count(*) as customers,
    {{ seg_sql.isum('purchases') }} as purchases,
    {{ seg_sql.round('sum(revenue)') }} as revenue,
    {{ seg_sql.isum('case when purchases > 1 then 1 else 0 end') }} as repeat_customers,
    min(first_order_date) as first_order_date,
    max(last_order_date) as last_order_date
from customers
where purchases > 0
