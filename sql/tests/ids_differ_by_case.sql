-- The customers whose ids are written large in one place and small in another.
-- Only ids with a small letter are looked up, so that ids of digits or capitals cost one scan.
{{ config(
    severity='warn',
    description='Customer ids differ only by small and capital letters, as c1 and C1: each is a'
    ~ ' customer of its own. If they are one, write them alike, as with `query:` in the input'
    ~ ' order_lines.'
) }}

with

customers as (

    select customer_id, {{ seg_sql.ascii_upper('customer_id') }} as written_large
    from {{ ref('rfm_values') }} as rfm_values

),

with_small_letters as (

    select customer_id, written_large
    from customers
    where cast(customer_id as {{ seg_sql.text() }}) <> written_large

),

alike as (

    select customers.customer_id, with_small_letters.customer_id as other_customer_id
    from customers
    inner join with_small_letters
        on with_small_letters.written_large = customers.written_large
        and with_small_letters.customer_id <> customers.customer_id

)

select * from alike
