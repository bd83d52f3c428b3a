-- One row for each source and customer without a segment, or with two, at this as_of.
{{ config(
    description='A customer has no segment, or two, at this as_of.'
) }}

with

customers as (

    select source, customer_id, count(*) as times, count(segment) as segments
    from {{ ref('customer_segment_history') }} as history
    where as_of = {{ seg_sql.as_of() }}
    group by source, customer_id

),

odd as (

    select source, customer_id, times, segments
    from customers
    where customer_id is null or times > 1 or segments < 1

)

select * from odd
