-- Which customer each merged id stands for today, with chains followed to their end.
-- Grain: one row per merged customer_id of the input customer_map.
-- An id in a circle (a into b, b into a) has no end: it fails the data test on surviving_id.
{{ config(materialized='table', unique_key='customer_id') }}

with recursive

merges as (

    select distinct customer_id, merged_into
    from {{ input('customer_map') }} as customer_map
    where customer_id is not null and merged_into is not null and customer_id <> merged_into

),

-- A union of distinct rows ends even in a circle.
steps as (

    select customer_id, merged_into as reached
    from merges

    union

    select steps.customer_id, merges.merged_into as reached
    from steps
    inner join merges on merges.customer_id = steps.reached

),

ends as (

    select steps.customer_id, steps.reached
    from steps
    left join merges on merges.customer_id = steps.reached
    where merges.customer_id is null

),

survivors as (

    select merges.customer_id, ends.reached as surviving_id
    from merges
    left join ends on ends.customer_id = merges.customer_id

)

select * from survivors
