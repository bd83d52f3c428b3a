-- The customer with the most orders, where it has over 1 % of all and 20 times those of the second:
-- such an id is a till, a guest account or a test, which anonymous_ids takes out.
{{ config(
    severity='warn',
    description='One customer id has over 1 % of the orders and 20 times the second: if it is a'
    ~ ' guest or a till, name it in anonymous_ids of the input order_lines.'
) }}

with

customers as (

    select customer_id, count(*) as orders
    from {{ ref('orders') }} as orders
    group by customer_id

),

first_two as (

    select customer_id, orders
    from customers
    order by orders desc, {{ seg_sql.bin('customer_id') }}
    limit 2

),

compared as (

    select
        customer_id,
        orders,
        lead(orders) over (order by orders desc, {{ seg_sql.bin('customer_id') }}) as next_orders
    from first_two

),

dominant as (

    select compared.customer_id, compared.orders, compared.next_orders
    from compared
    cross join (select count(*) as orders from {{ ref('orders') }} as orders) as totals
    where
        100 * compared.orders > totals.orders
        and compared.orders >= 20 * compared.next_orders

)

select * from dominant
