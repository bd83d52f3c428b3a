-- The reasons for which lines are dropped, where these are more than 5 % of the amount, or of the
-- lines: a line that cannot be read has no amount that could be missed.
{{ config(
    severity='warn',
    description='More than 5 % of the amount, or of the lines, is dropped; `seg-sql show'
    ~ ' input_quality` says why. Are dates and numbers written as date_order and decimal_comma'
    ~ ' say?'
) }}

with

reasons as (

    select reason, action, rows as line_count, coalesce(amount, 0) as amount
    from {{ ref('input_quality') }} as input_quality
    where input = 'order_lines'

),

-- What is dropped on purpose is no fault of the input.
faults as (

    select reason, line_count, amount
    from reasons
    where action = 'dropped' and reason not in ('after as_of', 'refund', 'duplicate')

),

read_in_all as (

    select {{ seg_sql.isum('line_count') }} as line_count, abs(sum(amount)) as amount
    from reasons

),

dropped as (

    select {{ seg_sql.isum('line_count') }} as line_count, sum(abs(amount)) as amount
    from faults

),

too_much as (

    select faults.reason, faults.line_count, faults.amount
    from faults
    cross join dropped
    cross join read_in_all
    where
        dropped.amount > {{ seg_sql.lit(0.05) }} * read_in_all.amount
        or dropped.line_count > {{ seg_sql.lit(0.05) }} * read_in_all.line_count

)

select * from too_much
