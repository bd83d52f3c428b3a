-- One row where more than 2 % of the kept lines are equal to another one in every column.
-- Two equal pieces of an order may be rung up one by one: 1 % of the lines of Online Retail are so.
-- A file that is read twice makes half of its lines equal ones, and doubles their money.
{{ config(
    severity='warn',
    description='More than 2 % of the order lines are there twice, and counted twice: is a file, or a'
    ~ ' part of it, read twice? Then take it out, or write `vars: {duplicates: drop}`; if such lines'
    ~ ' are pieces sold one by one, map line_id, or write `duplicates: ignore`.'
) }}

with

reasons as (

    select reason, rows as line_count, amount
    from {{ ref('input_quality') }} as input_quality
    where input = 'order_lines' and action = 'kept'

),

kept as (

    select {{ seg_sql.isum('line_count') }} as line_count, sum(amount) as amount
    from reasons

),

too_many as (

    select
        reasons.line_count as equal_lines,
        reasons.amount as their_amount,
        kept.line_count as lines_kept,
        kept.amount as amount_kept
    from reasons
    cross join kept
    where
        reasons.reason = 'possible duplicate'
        and reasons.line_count > {{ seg_sql.lit(0.02) }} * kept.line_count

)

select * from too_many
