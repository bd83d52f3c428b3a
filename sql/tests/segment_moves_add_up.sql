-- One row for each source whose moves do not count every customer of either date once.
{{ config(
    description='The moves do not add up to the customers of the two dates.'
) }}

with

moves as (

    select source, from_as_of, to_as_of, {{ seg_sql.isum('customers') }} as customers
    from {{ ref('segment_moves') }} as segment_moves
    group by source, from_as_of, to_as_of

),

of_both as (

    select moves.source, count(distinct history.customer_id) as customers
    from moves
    inner join {{ ref('customer_segment_history') }} as history
        on history.source = moves.source
        and history.as_of in (moves.from_as_of, moves.to_as_of)
    group by moves.source

),

differences as (

    select moves.source, moves.customers as customers_of_moves, of_both.customers
    from moves
    left join of_both on of_both.source = moves.source
    where of_both.customers is null or of_both.customers <> moves.customers

)

select * from differences
