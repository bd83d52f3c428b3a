-- Every row of the input customers, with the one reason why it is kept or dropped.
-- Grain: row of the input. Of several rows of a customer the one with the earliest date is kept.
{{ config(materialized='ephemeral') }}

with

numbered as (

    select
        customer_id,
        first_order_date,
        row_number() over (
            partition by customer_id order by first_order_date nulls last
        ) as copy_number
    from {{ input('customers') }} as customers

),

checked as (

    select
        customer_id,
        first_order_date,
        case
            when customer_id is null then 'no customer'
            when copy_number > 1 then 'repeated customer'
            {% if input_has('customers', 'first_order_date') -%}
            when first_order_date is null then 'no date'
            when not {{ seg_sql.is_day('cast(first_order_date as timestamp)') }} then 'no date'
            {% endif -%}
            else 'kept'
        end as reason,
        case
            when customer_id is not null and copy_number = 1 then 'kept' else 'dropped'
        end as action
    from numbered

)

select * from checked
