-- The customers whose ids differ only by what exports add or take off: blanks around them, small and
-- capital letters, zeros before them, a .0 after them.
-- Only ids that are not written plainly (without all these) are looked up, so that most shops' ids
-- cost one scan.
{{ config(
    severity='warn',
    description='Customer ids differ only by blanks, small and capital letters, leading zeros or a .0,'
    ~ ' as c1 and C1, 007 and 7: each is a customer of its own. If they are one, write them alike, as'
    ~ ' with `query:` in the input order_lines.'
) }}

with

customers as (

    select
        customer_id,
        {{ seg_sql.plain_id('customer_id') }} as plain_id
    from {{ ref('rfm_values') }} as rfm_values

),

not_plain as (

    select customer_id, plain_id
    from customers
    where cast(customer_id as {{ seg_sql.text() }}) <> plain_id

),

alike as (

    select customers.customer_id, not_plain.customer_id as other_customer_id
    from customers
    inner join not_plain
        on not_plain.plain_id = customers.plain_id
        and not_plain.customer_id <> customers.customer_id

)

select * from alike
