-- The customers whose ids differ only by what exports add or take off: blanks around them, small and
-- capital letters, zeros before them, a .0 after them.
-- Only ids that may have one of these are looked up, so that most shops' ids cost one quick scan.
{{ config(
    severity='warn',
    description='Customer ids differ only by blanks, small and capital letters, leading zeros or a .0,'
    ~ ' as c1 and C1, 007 and 7: each is a customer of its own. If they are one, write them alike, as'
    ~ ' with `query:` in the input order_lines.'
) }}

with

ids as (

    select customer_id, cast(customer_id as {{ seg_sql.text() }}) as written
    from {{ ref('rfm_values') }} as rfm_values

),

decorated as (

    select customer_id, {{ seg_sql.plain_id('written') }} as plain_id
    from ids
    where {{ seg_sql.is_decorated_id('written') }}

),

customers as (

    select customer_id, {{ seg_sql.plain_id('customer_id') }} as plain_id
    from {{ ref('rfm_values') }} as rfm_values

),

alike as (

    select customers.customer_id, decorated.customer_id as other_customer_id
    from customers
    inner join decorated
        on decorated.plain_id = customers.plain_id
        and decorated.customer_id <> customers.customer_id

)

select * from alike
