-- One row where input_quality does not account for every line, or every amount, that was read.
-- The tolerance is relative to the size of what is added, and has room for the rounding of each
-- reason to 6 decimals.
{{ config(
    description='The amounts of all reasons do not add up to the amount that was read.'
) }}

with

lines as (

    select
        count(*) as line_count,
        coalesce(sum(amount), 0) as amount,
        coalesce(sum(abs(amount)), 0) as size
    from {{ ref('order_lines_checked') }} as order_lines_checked

),

reasons as (

    select
        coalesce({{ seg_sql.isum('rows') }}, 0) as line_count,
        coalesce(sum(amount), 0) as amount
    from {{ ref('input_quality') }} as input_quality
    where input = 'order_lines' and reason <> 'broken row'

),

differences as (

    select
        lines.line_count as lines_read,
        reasons.line_count as lines_of_reasons,
        lines.amount as amount_read,
        reasons.amount as amount_of_reasons
    from lines
    cross join reasons
    where
        lines.line_count <> reasons.line_count
        or abs(lines.amount - reasons.amount)
            > {{ seg_sql.lit(1e-5) }} + {{ seg_sql.lit(1e-9) }} * lines.size

)

select * from differences
