-- Each macro once, over three rows of a text, a day, a number and an id.
-- Grain: one row per place. The same text is rendered without dbt, and both must give equal rows.
{{ config(materialized='table') }}

with

given as (

    select place, id, label, day, amount
    from (
        values
        (1, 7, ' 1,234.5 ', cast('2011-11-30' as date), cast(2.5 as {{ seg_sql.double() }})),
        (2, 10, '-3', cast('2012-02-29' as date), cast(0 as {{ seg_sql.double() }})),
        (3, 9, '1e2', cast('1999-01-01' as date), cast(-0.0000005 as {{ seg_sql.double() }}))
    ) as rows_given (place, id, label, day, amount)
    {{ seg_sql.presorted('place') }}
    {{ seg_sql.gathered('place') }}

),

totals as (

    select
        {{ seg_sql.isum('place') }} as places,
        {{ seg_sql.element(seg_sql.quantiles('place', 4), 1) }} as first_quartile,
        {{ seg_sql.string_agg('id', "', '", seg_sql.bin('id')) }} as ids,
        min({{ seg_sql.bin_text('label') }}) as first_label,
        case when {{ seg_sql.clv_is_purchase('amount', 'amount') }} then 1 else 0 end as purchases,
        {{ seg_sql.clv_value_at_first('amount', 'day') }} as value_at_first
    from given

),

fenced as {{ seg_sql.materialized() }} (

    select count(*) as months
    from {{ seg_sql.months("cast('2011-01-31' as date)", seg_sql.as_of()) }} as touched
    {{ seg_sql.fence() }}

),

counted as (

    select count(*) as numbers, max(n) as highest
    from {{ seg_sql.numbers(1, '(select max(place) from given)') }} as counts

),

parted as (

    select count(*) as parts
    from (
        select id
        from (select 1 as id, label, day from given) as alike
        group by id, {{ seg_sql.rest_of_key(['label', 'day']) }}
    ) as distinct_rows

),

largest as (

    select max(best.place) as best_place
    from {{ seg_sql.top_candidates('given', ['place'], 'label', 'id', 1) }} as best

),

listed as (

    select sum(first_items.place) as listed_places
    from {{ seg_sql.first_items(
        '(select id as customer_id, label as item_id, place as score from given)', 1
    ) }} as first_items

),

cuts as (

    select
        cast(1 as {{ seg_sql.double() }}) as frequency_cut_1,
        cast(2 as {{ seg_sql.double() }}) as frequency_cut_2

),

every_macro as (

    select
        given.place,
        given.id as {{ seg_sql.ident('The "Id"') }},
        {{ seg_sql.lit(0.1) }} + {{ seg_sql.lit(-2) }} as literal_sum,
        {{ seg_sql.lit("it's a \\ backslash") }} as literal_text,
        {{ seg_sql.lit(none) }} is null and {{ seg_sql.lit(true) }} as literal_truth,
        {{ seg_sql.safe_div('given.place', 'given.amount') }} as ratio,
        {{ seg_sql.safe_exp('1000 * given.amount') }} as exponential,
        {{ seg_sql.safe_ln('given.amount') }} as logarithm,
        {{ seg_sql.lgamma('given.place + 0.5') }} as log_gamma,
        {{ seg_sql.digamma('given.place') }} as digamma,
        {{ seg_sql.trigamma('given.place') }} as trigamma,
        {{ seg_sql.round('given.amount') }} as rounded,
        {{ seg_sql.round('given.amount', digits=0) }} as whole,
        {{ seg_sql.hash01('given.id', 42) }} as draw,
        {{ seg_sql.slice_of('given.id', 3) }} as slice,
        {{ seg_sql.is_finite('given.amount') }} as finite,
        {{ seg_sql.is_usable('given.amount') }} as usable,
        {{ seg_sql.safe_product('given.amount', 'given.amount') }} as product,
        {{ seg_sql.try_number('given.label') }} as read_number,
        {{ seg_sql.try_number("'1.234,5'", decimal_comma=true) }} as read_comma,
        {{ seg_sql.try_timestamp("'2026-12-31 23:30+01:00'") }} as read_moment,
        {{ seg_sql.try_date("'31.12.' || cast(2000 + given.place as " ~ seg_sql.text() ~ ")", 'dmy') }}
            as read_day,
        {{ seg_sql.as_of() }} as as_of,
        {{ seg_sql.date_literal('2024-02-29') }} as leap_day,
        {{ seg_sql.days_between('given.day', seg_sql.as_of()) }} as days,
        {{ seg_sql.add_days('given.day', 'given.place') }} as later,
        {{ seg_sql.clv_units('given.place') }} as weeks,
        {{ seg_sql.clv_horizon_days() }} as horizon_days,
        {{ seg_sql.clv_calibration_end('given.day', seg_sql.as_of()) }} as calibration_end,
        {{ seg_sql.month_floor('given.day') }} as month_start,
        {{ seg_sql.add_months(seg_sql.month_floor('given.day'), 'given.place') }} as month_later,
        {{ seg_sql.months_between('given.day', seg_sql.as_of()) }} as months_passed,
        {{ seg_sql.month_label('given.day') }} as month_label,
        {{ seg_sql.day_text('given.day') }} as day_label,
        {{ seg_sql.day_order_id('given.id', 'given.day') }} as order_id,
        {{ seg_sql.is_day('cast(given.day as timestamp)') }} as is_day,
        {{ seg_sql.numeric_to_double('given.amount') }} as exact_number,
        {{ seg_sql.safe_product('given.amount', 'given.amount') }} as product,
        {{ seg_sql.trimmed('given.label') }} as trimmed,
        {{ seg_sql.matches('given.label', '[0-9e]+') }} as matched,
        {{ seg_sql.cuts_below('given.place', [1, 2]) }} as cuts_below,
        {{ seg_sql.rfm_score('recency', 'given.place', [1, 2], 3) }} as score,
        {{ seg_sql.rfm_tile('monetary', 'given.amount', 'given.id', 2) }} as tile,
        {{ seg_sql.rfm_code('given.place', 'given.place', 'given.place') }} as rfm_code,
        {{ seg_sql.rfm_scored(
            'frequency', 'given.place', 'given.id',
            {'ties': {'frequency': 'value'}, 'bins': {'frequency': 3}, 'boundary': 'right'}
        ) }} as scored,
        {{ seg_sql.packed('given.place', 'given.id') }} as packed,
        {{ seg_sql.packed_first(seg_sql.packed('given.place', 'given.id')) }} as packed_first,
        {{ seg_sql.packed_second(seg_sql.packed('given.place', 'given.id')) }} as packed_second,
        {{ seg_sql.item_key('given.label') }} as item,
        {{ seg_sql.ascii_upper('given.label') }} as folded,
        {{ seg_sql.plain_id('given.label') }} as plain_label,
        {{ seg_sql.is_decorated_id('given.label') }} as is_decorated,
        {{ seg_sql.pair_measure('npmi', 'given.place', 5, 'given.place + 4', 20) }} as npmi,
        {{ seg_sql.pair_measure('root_llr', 'given.place', 5, 'given.place + 4', 20) }} as root_llr,
        {{ seg_sql.age_weight(seg_sql.date_literal('2011-11-10'), seg_sql.as_of(), 30) }} as aged,
        largest.best_place,
        listed.listed_places,
        {{ seg_sql.too_few('given.place', 'given.id', 2) }} as is_small,
        totals.places,
        totals.first_quartile,
        totals.ids,
        totals.first_label,
        totals.purchases,
        totals.value_at_first,
        fenced.months,
        counted.numbers,
        counted.highest,
        parted.parts
    from given
    cross join totals
    cross join fenced
    cross join counted
    cross join parted
    cross join cuts
    cross join largest
    cross join listed

)

select * from every_macro
