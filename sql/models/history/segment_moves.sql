-- How many customers went from which segment to which between the last two as_of, and why.
-- Grain: one row per source, pair of segments and reason. Each customer of either date is counted
-- once for each source, those who stayed as well.
-- The first reason that fits counts. bought: a purchase from from_as_of on and before to_as_of, but
-- not for who has fallen silent since, and so is at risk or churned;
-- refunded: other orders then, all of them refunds; cut_points: the bounds moved, and between the
-- earlier ones the customer would have stayed; aged: time has passed, and nothing else.
-- Who is in the same cluster has stayed, whatever its label is now: labels are those of their day.
{{ config(
    materialized='table',
    unique_key=['source', 'from_segment', 'to_segment', 'reason'],
    meta={
        'order_by': ['source', 'from_segment', 'to_segment', 'reason'],
        'show_first': ['from_segment', 'to_segment', 'reason', 'customers', 'revenue', 'source']
    }
) }}

{%- set options = var('rfm') %}

with

cut_points as (

    select as_of, source, measure, score, lower_bound, upper_bound, fitted_as_of
    from {{ ref('segment_cut_points') }} as segment_cut_points

),

{% if moves_from is none -%}
last_dates as (

    select source, max(as_of) as to_as_of
    from cut_points
    where as_of <= {{ seg_sql.as_of() }}
    group by source

),

dates as (

    select last_dates.source, last_dates.to_as_of, max(cut_points.as_of) as from_as_of
    from last_dates
    inner join cut_points
        on cut_points.source = last_dates.source
        and cut_points.as_of < last_dates.to_as_of
    group by last_dates.source, last_dates.to_as_of

),
{%- else -%}
dates as (

    select
        source,
        {{ seg_sql.date_literal(moves_to) }} as to_as_of,
        {{ seg_sql.date_literal(moves_from) }} as from_as_of
    from cut_points
    where as_of in ({{ seg_sql.date_literal(moves_from) }}, {{ seg_sql.date_literal(moves_to) }})
    group by source
    having count(distinct as_of) = 2

),
{%- endif %}

earlier as (

    select history.source, history.customer_id, history.segment, history.segment_id
    from {{ ref('customer_segment_history') }} as history
    inner join dates on dates.source = history.source and dates.from_as_of = history.as_of

),

later as (

    select history.source, history.customer_id, history.segment, history.segment_id
    from {{ ref('customer_segment_history') }} as history
    inner join dates on dates.source = history.source and dates.to_as_of = history.as_of

),

customers as (

    select
        coalesce(later.source, earlier.source) as source,
        coalesce(later.customer_id, earlier.customer_id) as customer_id,
        earlier.segment as from_segment,
        later.segment as to_segment,
        coalesce(earlier.segment_id = later.segment_id, earlier.segment = later.segment)
            as has_stayed,
        -- Who bought and was silent for long after it has not moved there by buying.
        case
            when coalesce(later.source, earlier.source) <> 'customer_lifecycle' then false
            when later.segment = 'churned' then true
            when later.segment = 'at_risk' then coalesce(earlier.segment <> 'churned', true)
            else false
        end as has_fallen_silent
    from earlier
    full join later
        on later.source = earlier.source and later.customer_id = earlier.customer_id

),

-- A customer has no order that is no purchase unless it is a refund.
activity as (

    select
        dates.source,
        orders.customer_id,
        sum(orders.amount) as revenue,
        max(case when orders.order_date >= dates.from_as_of then 1 else 0 end) as has_order,
        max(case
            when orders.is_purchase and orders.order_date >= dates.from_as_of then 1 else 0
        end) as has_purchase
    from {{ ref('orders') }} as orders
    inner join dates on orders.order_date < dates.to_as_of
    group by dates.source, orders.customer_id

),

{% if is_enabled('rfm') -%}
-- One row with every cut point of the earlier date.
cuts as (

    select
        {% for measure in ['recency', 'frequency', 'monetary'] -%}
        {% for cut in range(1, options.bins[measure]) -%}
        {{ seg_sql.rfm_cut(measure, cut, options.bins[measure]) }}
            as {{ measure }}_cut_{{ cut }},
        {% endfor -%}
        {% endfor -%}
        count(*) as bounds
    from cut_points
    inner join dates on dates.source = cut_points.source and dates.from_as_of = cut_points.as_of
    where cut_points.source = 'rfm'

),

rescored as (

    select
        rfm.customer_id,
        {{ seg_sql.rfm_scored(
            'recency', 'rfm.recency_days', 'rfm.customer_id', options
        ) }} as r_score,
        {{ seg_sql.rfm_scored(
            'frequency', 'rfm.frequency', 'rfm.customer_id', options
        ) }} as f_score,
        {{ seg_sql.rfm_scored(
            'monetary', 'rfm.monetary', 'rfm.customer_id', options
        ) }} as m_score
    from {{ ref('rfm') }} as rfm
    inner join dates on dates.source = 'rfm' and dates.to_as_of = rfm.as_of
    cross join cuts
    where cuts.bounds > 0

),
{%- endif %}

{% if is_enabled('customer_lifecycle') -%}
-- A live customer is new, active or reactivated.
restaged as (

    select
        customer_id,
        case
            when days_since_last <= at_risk_after_days then 'live'
            when days_since_last <= churned_after_days then 'at_risk'
            else 'churned'
        end as stage
    from (
        select
            stages.customer_id,
            stages.days_since_last,
            case
                when stages.threshold_source = 'own' then stages.at_risk_after_days
                else cut_points.lower_bound
            end as at_risk_after_days,
            case
                when stages.threshold_source = 'own' then stages.churned_after_days
                else cut_points.upper_bound
            end as churned_after_days
        from {{ ref('customer_lifecycle') }} as stages
        inner join dates
            on dates.source = 'customer_lifecycle' and dates.to_as_of = stages.as_of
        inner join cut_points
            on cut_points.source = 'customer_lifecycle'
            and cut_points.as_of = dates.from_as_of
    ) as thresholds

),
{%- endif %}

-- The segment between the earlier bounds, where it is known.
unmoved as (

    {% if is_enabled('rfm') -%}
    select 'rfm' as source, rescored.customer_id, segment_map.segment
    from rescored
    inner join {{ ref('rfm_segment_map') }} as segment_map
        on segment_map.r_score = rescored.r_score
        and segment_map.f_score = rescored.f_score
        and segment_map.m_score = rescored.m_score

    {% endif -%}
    {% if is_enabled('rfm') and is_enabled('customer_lifecycle') -%}
    union all

    {% endif -%}
    {% if is_enabled('customer_lifecycle') -%}
    select 'customer_lifecycle' as source, customer_id, stage as segment
    from restaged
    {%- endif %}

),

-- Clusters have no bounds to compare with: a new fit moves them all.
refitted as (

    select dates.source
    from dates
    inner join cut_points as earlier_fit
        on earlier_fit.source = dates.source and earlier_fit.as_of = dates.from_as_of
    inner join cut_points as later_fit
        on later_fit.source = dates.source and later_fit.as_of = dates.to_as_of
    where
        dates.source = 'customer_clusters'
        and earlier_fit.fitted_as_of <> later_fit.fitted_as_of

),

explained as (

    select
        customers.source,
        customers.from_segment,
        customers.to_segment,
        case
            when customers.from_segment is null then 'new'
            when customers.to_segment is null then 'gone'
            when customers.has_stayed then 'stayed'
            when activity.has_purchase = 1
                and not customers.has_fallen_silent
                then 'bought'
            when activity.has_order = 1 and activity.has_purchase = 0 then 'refunded'
            when refitted.source is not null then 'cut_points'
            when unmoved.segment = customers.from_segment then 'cut_points'
            when unmoved.segment = 'live'
                and customers.source = 'customer_lifecycle'
                and customers.from_segment in ('new', 'active', 'reactivated')
                then 'cut_points'
            else 'aged'
        end as reason,
        coalesce(activity.revenue, {{ seg_sql.lit(0.0) }}) as revenue
    from customers
    left join activity
        on activity.source = customers.source and activity.customer_id = customers.customer_id
    left join unmoved
        on unmoved.source = customers.source and unmoved.customer_id = customers.customer_id
    left join refitted on refitted.source = customers.source

),

moves as (

    select
        dates.from_as_of,
        dates.to_as_of,
        explained.source,
        explained.from_segment,
        explained.to_segment,
        explained.reason,
        count(*) as customers,
        {{ seg_sql.round('sum(explained.revenue)') }} as revenue
    from explained
    inner join dates on dates.source = explained.source
    group by
        dates.from_as_of,
        dates.to_as_of,
        explained.source,
        explained.from_segment,
        explained.to_segment,
        explained.reason

)

select * from moves
