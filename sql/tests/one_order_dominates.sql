-- The order of the greatest amount, where it has over 5 % of the money and 20 times that of the second:
-- such an amount is a slip of the pen, or in another unit.
{{ config(
    severity='warn',
    description='One order has over 5 % of the money and 20 times the second: is its price or quantity'
    ~ ' a slip of the pen? `where:` in the input order_lines leaves it out.'
) }}

with

first_two as (

    select order_id, customer_id, amount
    from {{ ref('orders') }} as orders
    where amount > 0
    order by amount desc, {{ seg_sql.bin('order_id') }}, {{ seg_sql.bin('customer_id') }}
    limit 2

),

compared as (

    select
        order_id,
        customer_id,
        amount,
        lead(amount) over (
            order by amount desc, {{ seg_sql.bin('order_id') }}, {{ seg_sql.bin('customer_id') }}
        ) as next_amount
    from first_two

),

dominant as (

    select compared.order_id, compared.customer_id, compared.amount, compared.next_amount
    from compared
    cross join (
        select sum(amount) as amount
        from {{ ref('orders') }} as orders
        where amount > 0
    ) as totals
    where
        compared.amount > {{ seg_sql.lit(0.05) }} * totals.amount
        and compared.amount >= 20 * compared.next_amount

)

select * from dominant
