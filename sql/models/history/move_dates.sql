-- Which two as_of segment_moves compares: the last two of each source, or those that were asked for.
-- Grain: one row per source that was built on both.
{{ config(materialized='ephemeral') }}

with

days as (

    select distinct source, as_of
    from {{ ref('segment_cut_points') }} as segment_cut_points
    {%- if moves_from is none %}
    where as_of <= {{ seg_sql.as_of() }}
    {%- else %}
    where as_of in ({{ seg_sql.date_literal(moves_from) }}, {{ seg_sql.date_literal(moves_to) }})
    {%- endif %}

),

last_days as (

    select source, max(as_of) as to_as_of
    from days
    group by source

),

move_dates as (

    select last_days.source, max(days.as_of) as from_as_of, last_days.to_as_of
    from last_days
    inner join days
        on days.source = last_days.source and days.as_of < last_days.to_as_of
    group by last_days.source, last_days.to_as_of

)

select * from move_dates
